//! The one owner of the state: takes messages in the order in which they came, changes the texts, gives snapshots to
//! workers, and decides whether an answer is still wanted when it comes back.
//!
//! Nothing here computes anything that takes time: an edit must never wait.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender};

use tokio::sync::mpsc::UnboundedSender;
use tower_lsp::ls_types::{
    Diagnostic, DidChangeTextDocumentParams, TextDocumentItem, Uri, WorkspaceFoldersChangeEvent,
};

use crate::capabilities::ClientSupport;
use crate::disk::Disk;
use crate::documents::{Document, Documents, changed, path_of};
use crate::requests;
use crate::snapshot::{Cache, Snapshot};
use crate::workers::Workers;

/// An answer that is ready: told whether it is out of date, it goes to whoever asked.
pub(crate) type Deliver = Box<dyn FnOnce(bool) + Send>;

/// A question: computes its answer, or gives nothing if nobody waits for it any more.
pub(crate) type Question = Box<dyn FnOnce(&Snapshot) -> Option<Deliver> + Send>;

/// What comes into the mailbox.
pub(crate) enum Event {
    /// What the client can take, and its folders.
    Start(ClientSupport, Vec<PathBuf>),
    Open(TextDocumentItem),
    Change(DidChangeTextDocumentParams),
    Close(Uri),
    /// Files on disk have changed.
    Watched,
    Folders(WorkspaceFoldersChangeEvent),
    Ask(Question),
    /// A worker has computed an answer from the state of that number.
    Answered(u64, Deliver),
    /// A worker has computed the findings of a document.
    Found {
        revision: u64,
        path: PathBuf,
        version: i32,
        findings: Vec<Diagnostic>,
    },
    /// The connection is gone.
    Stop,
}

/// What goes to the client unasked.
#[derive(Debug)]
pub(crate) enum Outgoing {
    Publish {
        uri: Uri,
        version: Option<i32>,
        findings: Vec<Diagnostic>,
    },
    /// Findings of other files may have changed: ask again.
    Refresh,
}

/// Runs until the connection is gone. `mailbox` is what workers answer to.
pub(crate) fn run(
    events: &Receiver<Event>,
    mailbox: Sender<Event>,
    outgoing: UnboundedSender<Outgoing>,
) {
    let mut state = State {
        revision: 1,
        current: Arc::new(AtomicU64::new(1)),
        documents: Arc::default(),
        disk: Arc::default(),
        cache: Arc::default(),
        folders: Arc::default(),
        client: Arc::default(),
        published: HashMap::new(),
        workers: Workers::new(),
        mailbox,
        outgoing,
    };
    while let Ok(event) = events.recv() {
        if matches!(event, Event::Stop) {
            return;
        }
        // A fault of ours costs one message, never the server.
        let _ = catch_unwind(AssertUnwindSafe(|| state.on(event)));
    }
}

struct State {
    /// Grows with every change of any text.
    revision: u64,
    current: Arc<AtomicU64>,
    documents: Arc<Documents>,
    disk: Arc<Disk>,
    cache: Arc<Cache>,
    folders: Arc<Vec<PathBuf>>,
    client: Arc<ClientSupport>,
    /// What the client was told last of each document.
    published: HashMap<PathBuf, (i32, Vec<Diagnostic>)>,
    workers: Workers,
    mailbox: Sender<Event>,
    outgoing: UnboundedSender<Outgoing>,
}

impl State {
    fn on(&mut self, event: Event) {
        match event {
            Event::Start(client, folders) => {
                self.client = Arc::new(client);
                self.folders = Arc::new(folders);
            }
            Event::Open(item) => {
                let path = path_of(&item.uri);
                let document =
                    Document { uri: item.uri, version: item.version, text: item.text.into() };
                Arc::make_mut(&mut self.documents).insert(path.clone(), Arc::new(document));
                self.changed(Some(path));
            }
            Event::Change(params) => self.edit(params),
            Event::Close(uri) => {
                let path = path_of(&uri);
                Arc::make_mut(&mut self.documents).remove(&path);
                self.cache.close(&path);
                if self.published.remove(&path).is_some() {
                    self.send(Outgoing::Publish { uri, version: None, findings: Vec::new() });
                }
                self.changed(None);
            }
            Event::Watched => self.changed(None),
            Event::Folders(change) => {
                let mut folders = self.folders.to_vec();
                let removed: Vec<PathBuf> =
                    change.removed.iter().map(|folder| path_of(&folder.uri)).collect();
                folders.retain(|folder| !removed.contains(folder));
                folders.extend(change.added.iter().map(|folder| path_of(&folder.uri)));
                folders.sort_unstable();
                folders.dedup();
                self.folders = Arc::new(folders);
                self.changed(None);
            }
            Event::Ask(question) => {
                let snapshot = self.snapshot();
                let mailbox = self.mailbox.clone();
                self.workers.spawn(Box::new(move || {
                    let revision = snapshot.revision;
                    if let Some(deliver) = question(&snapshot) {
                        let _ = mailbox.send(Event::Answered(revision, deliver));
                    }
                    snapshot.cache.sweep();
                }));
            }
            Event::Answered(revision, deliver) => deliver(revision != self.revision),
            Event::Found { revision, path, version, findings } => {
                if revision == self.revision {
                    self.publish(path, version, findings);
                }
            }
            Event::Stop => {}
        }
    }

    fn edit(&mut self, params: DidChangeTextDocumentParams) {
        let path = path_of(&params.text_document.uri);
        // An edit of a text that is not open is a mistake of the client; there is nobody to tell.
        let Some(known) = self.documents.get(&path) else { return };
        let text = changed(&known.text, &params.content_changes, self.client.encoding);
        let document = Document {
            uri: known.uri.clone(),
            version: params.text_document.version,
            text: text.into(),
        };
        Arc::make_mut(&mut self.documents).insert(path.clone(), Arc::new(document));
        self.changed(Some(path));
    }

    /// The texts have changed: what is under way is out of date, and findings are looked for again.
    fn changed(&mut self, first: Option<PathBuf>) {
        self.revision += 1;
        self.current.store(self.revision, Ordering::SeqCst);
        if self.client.pulls {
            // The client asks about what it edits by itself, but does not know who imports it.
            let others = self.documents.len() > usize::from(first.is_some());
            if self.client.refreshes_diagnostics && others {
                self.send(Outgoing::Refresh);
            }
            return;
        }
        let mut paths: Vec<&PathBuf> = self.documents.keys().collect();
        // The one that is being edited comes first.
        paths.sort_unstable_by_key(|path| (Some(*path) != first.as_ref(), *path));
        for path in paths {
            let Some(document) = self.documents.get(path) else { continue };
            let (snapshot, mailbox) = (self.snapshot(), self.mailbox.clone());
            let (path, uri, version) = (path.clone(), document.uri.clone(), document.version);
            self.workers.spawn(Box::new(move || {
                if let Ok(findings) = requests::findings(&snapshot, &uri) {
                    let revision = snapshot.revision;
                    let _ = mailbox.send(Event::Found { revision, path, version, findings });
                }
                snapshot.cache.sweep();
            }));
        }
    }

    fn publish(&mut self, path: PathBuf, version: i32, findings: Vec<Diagnostic>) {
        let Some(document) = self.documents.get(&path) else { return };
        let same = |known: &(i32, Vec<Diagnostic>)| known.0 == version && known.1 == findings;
        if self.published.get(&path).is_some_and(same) {
            return;
        }
        let uri = document.uri.clone();
        self.published.insert(path, (version, findings.clone()));
        self.send(Outgoing::Publish { uri, version: Some(version), findings });
    }

    fn send(&self, message: Outgoing) {
        // Fails only when the connection is gone.
        let _ = self.outgoing.send(message);
    }

    fn snapshot(&self) -> Snapshot {
        Snapshot {
            revision: self.revision,
            current: Arc::clone(&self.current),
            documents: Arc::clone(&self.documents),
            disk: Arc::clone(&self.disk),
            cache: Arc::clone(&self.cache),
            folders: Arc::clone(&self.folders),
            client: Arc::clone(&self.client),
        }
    }
}
