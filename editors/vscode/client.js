// Starts `kait lsp` and offers the commands that run `kait` in a terminal. All knowledge of the
// language is in the server.
const { ProcessExecution, Task, TaskScope, Uri, commands, tasks, window, workspace } = require('vscode');
const { LanguageClient, TransportKind } = require('vscode-languageclient/node');

let client;

const binary = () => workspace.getConfiguration('kait').get('path') || 'kait';

// Why a text is not formatted belongs beside it: a message box would come with every save.
async function formatted(document, options, token, next) {
  try {
    return await next(document, options, token);
  } catch (error) {
    window.setStatusBarMessage(`KAIT: ${error.message ?? error}`, 8000);
    return [];
  }
}

// The client reports what goes wrong while it runs; a binary that is missing is our message.
async function start() {
  const run = { command: binary(), args: ['lsp'], transport: TransportKind.stdio };
  client = new LanguageClient('kait', 'KAIT', { run, debug: run }, {
    documentSelector: [{ language: 'kait', scheme: 'file' }, { language: 'kait', scheme: 'untitled' }],
    initializationOptions: { inlayHints: workspace.getConfiguration('kait').get('inlayHints') },
    middleware: { provideDocumentFormattingEdits: formatted },
    synchronize: { fileEvents: workspace.createFileSystemWatcher('**/{*.kait,kait.toml,kait.lock}') },
  });
  try {
    await client.start();
  } catch (error) {
    client = undefined;
    const choice = await window.showErrorMessage(
      `KAIT: \`${binary()} lsp\` cannot be started (${error.message ?? error}). Put kait on the PATH or set kait.path.`,
      'Open Settings',
    );
    if (choice) commands.executeCommand('workbench.action.openSettings', 'kait.path');
  }
}

async function stop() {
  const running = client;
  client = undefined;
  await running?.dispose();
}

// As a task: a terminal without a shell in it, so that no path needs quotes.
async function inTerminal(verb, resource) {
  const uri = resource instanceof Uri ? resource : window.activeTextEditor?.document.uri;
  if (uri?.scheme !== 'file') {
    window.showInformationMessage('KAIT: open a file of KAIT that is saved on this machine.');
    return;
  }
  await workspace.textDocuments.find((d) => d.uri.toString() === uri.toString())?.save();
  const folder = workspace.getWorkspaceFolder(uri) ?? TaskScope.Global;
  const execution = new ProcessExecution(binary(), [verb, uri.fsPath]);
  const task = new Task({ type: 'kait', verb }, folder, verb, 'kait', execution, []);
  task.presentationOptions = { clear: true, focus: verb === 'run' };
  await tasks.executeTask(task);
}

exports.activate = async (context) => {
  for (const verb of ['run', 'test', 'check']) {
    context.subscriptions.push(commands.registerCommand(`kait.${verb}`, (uri) => inTerminal(verb, uri)));
  }
  const restart = async () => { await stop(); await start(); };
  context.subscriptions.push(
    commands.registerCommand('kait.restart', restart),
    workspace.onDidChangeConfiguration((e) => (e.affectsConfiguration('kait.path') || e.affectsConfiguration('kait.inlayHints')) && restart()),
  );
  if (workspace.isTrusted) await start();
  else context.subscriptions.push(workspace.onDidGrantWorkspaceTrust(start));
};

exports.deactivate = stop;
