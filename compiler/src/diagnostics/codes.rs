//! The one table of diagnostic codes: what each is called, how bad it is, whether a tool can repair it, and its page.
//!
//! To add a code: one row below, in the order of the numbers, and a page `docs/diagnostics/KNNNN.md` (without it the
//! crate does not compile). A number is never used again for another mistake, so that links to its page stay true.
//! The rows that `kait-syntax` raises stand in its table, too; a test compares the two.
//!
//! Families: K00xx syntax and habits of other languages, K01xx enforced style, K02xx names, K03xx policies,
//! K04xx types, streams and bounds, K05xx effects, grants, people and triggers, K06xx labels, K07xx agents and budgets,
//! K08xx tests, K09xx packages and locks, K90xx run time and replay.

use super::Severity;

/// What the table says about a code.
#[derive(Clone, Copy, Debug)]
pub struct CodeInfo {
    /// As it is printed: `K0201`.
    pub code: &'static str,
    /// The short name: `unknown-name`.
    pub name: &'static str,
    /// How bad it is, unless a diagnostic says otherwise.
    pub severity: Severity,
    /// Whether at least some diagnostics of this code carry a fix.
    pub has_fix: bool,
    /// What it is about, in one line without full stop.
    pub title: &'static str,
    /// The page that `kait explain` prints, in Markdown.
    pub page: &'static str,
}

macro_rules! has_fix {
    (fix) => {
        true
    };
    (nofix) => {
        false
    };
}

macro_rules! codes {
    ($( $variant:ident = $code:literal $name:literal $severity:ident $fix:ident $title:literal; )*) => {
        /// A registered code.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        pub enum Code {
            $( #[doc = $title] $variant, )*
        }

        /// The rows, by the number of the variant.
        static TABLE: &[CodeInfo] = &[$(
            CodeInfo {
                code: $code,
                name: $name,
                severity: Severity::$severity,
                has_fix: has_fix!($fix),
                title: $title,
                page: include_str!(concat!(
                    env!("CARGO_MANIFEST_DIR"), "/../docs/diagnostics/", $code, ".md"
                )),
            },
        )*];

        impl Code {
            /// Every code, in the order of the table.
            pub const ALL: &'static [Code] = &[$( Code::$variant, )*];
        }
    };
}

codes! {
    // ---- K00xx: syntax, habits of other languages (raised by `kait-syntax` up to K0069), what is not built yet ----
    Unexpected = "K0001" "unexpected-token" Error nofix "something else is expected here";
    UnclosedBracket = "K0002" "unclosed-bracket" Error fix "a bracket is not closed";
    UnclosedText = "K0003" "unclosed-text" Error fix "a text is not closed";
    NestingTooDeep = "K0004" "too-deep" Error nofix "the code is nested too deeply";
    StrayCloser = "K0005" "stray-closer" Error fix "a closing bracket has no opening bracket";
    UnknownCharacter = "K0006" "unknown-character" Error fix "a character has no meaning here";
    BadNumber = "K0007" "bad-number" Error fix "a number or its unit is malformed";
    BadEscape = "K0008" "bad-escape" Error fix "a `\\` in a text is followed by something that has no meaning";
    FileTooLarge = "K0009" "file-too-large" Error nofix "a file is larger than the limit";
    ReservedWord = "K0010" "reserved-word" Error fix "a reserved word is used as a name";
    MissingNewline = "K0011" "missing-newline" Error nofix "two statements share a line";
    Return = "K0012" "no-return" Error fix "`return`, `throw` or `raise` is used";
    Null = "K0013" "no-null" Error fix "a word of another language for `none`, `true` or `false`";
    LogicOperator = "K0014" "logic-operator" Error fix "an operator such as `&&` instead of a word";
    Semicolon = "K0015" "no-semicolon" Error fix "a semicolon ends a line";
    Quotes = "K0016" "double-quotes" Error fix "a text is in other quotes";
    Const = "K0017" "no-const" Error fix "`const` or `var` instead of `let`";
    FunctionWord = "K0018" "function-word" Error fix "`function` or `def` instead of `fn` or `graph`";
    Lambda = "K0019" "no-lambda" Error fix "a lambda is used";
    ArrowKind = "K0020" "arrow-kind" Error fix "the wrong arrow";
    AssignInCondition = "K0021" "assign-in-condition" Error fix "`=` where `==` is meant";
    Equality = "K0022" "strict-equality" Error fix "`===` or `!==` is used";
    Elif = "K0023" "else-if" Error fix "`elif` or `elseif` is used";
    Async = "K0024" "no-async" Error fix "`async` or `await` is used";
    Switch = "K0025" "no-switch" Error fix "`switch` or `case` is used";
    While = "K0026" "no-while" Error nofix "`while`, `break` or `continue` is used";
    Mutation = "K0027" "no-mutation" Error nofix "a value is changed with `=`, `+=` or `++`";
    Ternary = "K0028" "no-ternary" Error fix "`? :` instead of `if`";
    FString = "K0029" "no-string-prefix" Error fix "a text has a prefix such as `f`";
    CommentStyle = "K0030" "comment-style" Error fix "a comment begins with `#` or `/*`";
    LetWithoutValue = "K0031" "let-without-value" Error nofix "a `let` has no value";
    ForeignDeclaration = "K0032" "foreign-declaration" Error fix "a declaration begins with a word of another language";
    ColonForEquals = "K0033" "colon-for-equals" Error fix "`=` or `:` where none can be";
    BraceOnNextLine = "K0034" "brace-on-next-line" Error fix "a `{` is on its own line";
    ChainedComparison = "K0035" "chained-comparison" Error fix "comparisons are chained";
    NamedArgument = "K0036" "named-argument" Error fix "an argument is named with `=`";
    RecordLiteral = "K0037" "record-literal" Error fix "a value begins with `{`";
    DefaultArm = "K0038" "default-arm" Error fix "`else` is used as an arm";
    ParameterType = "K0039" "parameter-type" Error fix "a type is written before its name";
    SpreadStyle = "K0040" "spread-style" Error fix "`...` instead of `..`";
    TypeForm = "K0041" "type-form" Error fix "a type is written as in another language";
    NumberRange = "K0070" "number-out-of-range" Error nofix "a number does not fit its type";
    UnknownUnit = "K0071" "unknown-unit" Error fix "a number has a unit that does not exist";
    OtherLiteral = "K0072" "other-literal" Error nofix "a fixed value of another kind is needed";
    OutsideLoop = "K0080" "outside-loop" Error nofix "`done` or `next` outside of a loop";
    PipeIntoNoCall = "K0081" "pipe-into-no-call" Error fix "`|>` is not followed by a call";
    BindingInIs = "K0082" "binding-in-is" Error fix "a pattern after `is` gives names to values";
    MisplacedSelector = "K0083" "misplaced-selector" Error nofix "`.name` or `..value` in a wrong place";
    ThirdPositional = "K0084" "third-positional" Error fix "a third argument has no name";
    TextPlus = "K0085" "text-plus" Error fix "texts are joined with `+`";
    NotSupported = "K0090" "not-supported-yet" Error nofix "a part of the language that this version does not run yet";
    Internal = "K0091" "internal-fault" Error nofix "the compiler contradicted itself";
    NestedTooDeep = "K0092" "nested-too-deep" Error nofix "code is nested too deeply to run";
    FurtherErrors = "K0099" "further-errors" Error nofix "more errors than are shown";

    // ---- K01xx: style, raised by `kait-syntax` ----
    LowerCase = "K0101" "lower-case-name" Error fix "a name is not in snake_case";
    UpperCase = "K0102" "upper-case-name" Error fix "a name is not in UpperCamelCase";
    MisplacedDoc = "K0103" "misplaced-doc" Warning fix "a `///` comment describes nothing";
    BidiControl = "K0104" "bidi-control" Warning fix "an invisible character changes how the code looks";

    // ---- K02xx: names ----
    UnknownName = "K0201" "unknown-name" Error fix "a name is not known here";
    UnknownType = "K0202" "unknown-type" Error fix "a type is not known here";
    UnknownModule = "K0203" "unknown-module" Error fix "a module does not exist";
    UnknownMember = "K0204" "unknown-member" Error fix "a module has no such name";
    UnknownVariant = "K0205" "unknown-variant" Error fix "a variant or record does not exist";
    AmbiguousVariant = "K0206" "ambiguous-variant" Error fix "a variant is one of several enums";
    Duplicate = "K0207" "duplicate-name" Error nofix "a name is declared twice";
    Shadowing = "K0208" "shadowing" Error nofix "a name is already taken by one in scope";
    UsedTooEarly = "K0209" "used-too-early" Error nofix "a name is used before its definition";
    Private = "K0210" "private-name" Error fix "a name of another module is not `pub`";
    LocalHidesModule = "K0211" "local-hides-module" Error nofix "a value has the name of a module that is called";
    ImportCycle = "K0212" "import-cycle" Error nofix "modules import each other in a circle";
    UnknownRole = "K0213" "unknown-role" Error fix "a model role is not declared";
    NotCallable = "K0214" "not-callable" Error fix "something that cannot be called is called";
    NotAValue = "K0215" "not-a-value" Error fix "a name that is not a value is used as one";
    ConstCycle = "K0216" "constant-cycle" Error nofix "the value of a constant depends on itself";
    UnusedLet = "K0217" "unused-let" Warning fix "a value is never used";
    UnusedImport = "K0218" "unused-import" Warning fix "an import is never used";
    DifferentBindings = "K0219" "different-bindings" Error nofix "the alternatives of a pattern have different names";
    TypeArgumentCount = "K0220" "type-argument-count" Error nofix "a type has more or fewer arguments than its declaration";
    DefaultUsesParameter = "K0221" "default-uses-parameter" Error nofix "a default value uses a parameter";
    UnknownExternKind = "K0222" "unknown-extern-kind" Error fix "an extern has an unknown kind";
    BadLocator = "K0223" "bad-locator" Error fix "the address or command of an extern is wrong";
    LocatorParameter = "K0224" "locator-parameter" Error fix "the address of an extern names a parameter that does not exist";
    BraceWithoutDollar = "K0225" "brace-without-dollar" Warning fix "a text names a value in braces without `$`";
    UnusedAnswer = "K0226" "unused-answer" Warning nofix "a model is asked, and its answer is not used";

    ExportedImport = "K0231" "exported-import" Error fix "a `use`, a `test` or a `trigger` is marked `pub`";
    OutsideSession = "K0240" "outside-session" Error nofix "`session` is used where there is none";
    NotASession = "K0241" "not-a-session" Error fix "`in` names something that is not a session";
    OtherSession = "K0242" "other-session" Error fix "a graph calls one that runs in another session";

    // ---- K03xx: policies ----
    WithOnNoCall = "K0301" "with-on-no-call" Error nofix "`with (…)` follows something that is not a call";
    UnknownPolicy = "K0302" "unknown-policy" Error fix "a policy is not known there";
    RepeatedPolicy = "K0303" "repeated-policy" Error nofix "a policy is given twice";
    MisplacedPolicy = "K0304" "misplaced-policy" Error nofix "a policy is set in the wrong place";
    PolicyValue = "K0305" "policy-value" Error fix "a policy has a value it cannot use";
    KeyNotSent = "K0306" "key-not-sent" Error nofix "a key is given to a call that cannot send it";
    WriteWithoutKey = "K0307" "write-without-key" Error nofix "a write that may be repeated has no key";
    CacheOnWrite = "K0308" "cache-on-write" Error nofix "a call that changes something is cached";
    SessionPolicy = "K0330" "session-policy" Error nofix "a policy of sessions on a graph without a session";
    OverlapKind = "K0331" "overlap-kind" Error nofix "an `overlap` has no use there";
    ApprovalPolicy = "K0332" "approval-policy" Error nofix "a policy about a person where nobody is asked";
    BadEdit = "K0333" "bad-edit" Error fix "`edit` lists something that the call does not take";
    OnceOnRead = "K0334" "once-on-read" Error nofix "`once` on a call that changes nothing";
    BadDetach = "K0335" "bad-detach" Error nofix "`detach` on something that is not a graph";
    TriggerPolicy = "K0336" "trigger-policy" Error nofix "a policy cannot be used with the source of a trigger";

    // ---- K04xx: types, streams and bounds ----
    Mismatch = "K0401" "type-mismatch" Error fix "a value has the wrong type";
    UnknownField = "K0402" "unknown-field" Error fix "a value has no such field";
    BadOperands = "K0403" "bad-operands" Error fix "an operator cannot be used with these values";
    MaybeNone = "K0404" "maybe-none" Error fix "a value that may be `none` is used as if it were there";
    NeverNone = "K0405" "never-none" Error fix "a value that is never `none` is treated as if it could be";
    NotExhaustive = "K0406" "not-exhaustive" Error fix "a `match` does not cover every case";
    RedundantArm = "K0407" "redundant-arm" Error nofix "an arm never runs";
    RefutableLet = "K0408" "refutable-let" Error nofix "the pattern of a `let` does not always fit";
    BrokenBound = "K0409" "broken-bound" Error nofix "a value is outside what its type allows";
    BadBound = "K0410" "bad-bound" Error fix "a rule of `where (…)` is wrong";
    PatternMismatch = "K0411" "pattern-mismatch" Error nofix "a pattern never matches values of this type";
    PatternFields = "K0412" "pattern-fields" Error fix "a pattern does not fit the values of a variant";
    MissingArgument = "K0413" "missing-argument" Error nofix "an argument is missing";
    UnknownArgument = "K0414" "unknown-argument" Error fix "an argument has a name that the declaration does not have";
    RepeatedArgument = "K0415" "repeated-argument" Error nofix "an argument is given twice";
    TooManyArguments = "K0416" "too-many-arguments" Error nofix "a call gives more than the declaration takes";
    TypeUnknown = "K0417" "type-unknown" Error nofix "the type of a value must be written";
    UnusedValue = "K0418" "unused-value" Error fix "a value is not used";
    NoValue = "K0419" "no-value" Error nofix "a block gives no value where one is expected";
    IfWithoutElse = "K0420" "if-without-else" Error fix "an `if` without `else` is used as a value";
    Unreachable = "K0421" "unreachable" Error nofix "a line never runs";
    OpenEnd = "K0422" "open-end" Error nofix "a path through a loop does not end";
    BadNext = "K0423" "bad-next" Error fix "`next` does not fit the values of its loop";
    NotAList = "K0424" "not-a-list" Error fix "`for` goes through something that is not a list";
    NoItems = "K0425" "no-items" Error fix "`[…]` is used on something without such items";
    NotRendered = "K0426" "not-rendered" Error nofix "a value cannot be put into a text";
    BadSpread = "K0427" "bad-spread" Error fix "`..` spreads something that does not fit";
    BadSelector = "K0428" "bad-selector" Error fix "a field such as `.name` does not fit";
    EndlessType = "K0429" "endless-type" Error fix "a type has no values, or is defined as itself";
    WireName = "K0430" "wire-name" Error nofix "two names are the same in JSON";
    MapKey = "K0431" "map-key" Error nofix "a type cannot be the key of a map";
    RepeatedKey = "K0432" "repeated-key" Error nofix "a map is written with one key twice";
    BadCount = "K0433" "bad-count" Error nofix "a count is out of its range";
    MatchTooLarge = "K0434" "match-too-large" Error nofix "a `match` has too many cases to compare";
    AlwaysTraps = "K0435" "always-traps" Error nofix "a calculation always fails";
    PromptModel = "K0436" "prompt-model" Error fix "a prompt does not ask exactly one model";
    PromptContent = "K0437" "prompt-content" Error fix "a prompt contains something that it cannot";
    ModelResult = "K0438" "model-result" Error nofix "a model cannot be asked for this type";
    StreamParameter = "K0439" "stream-parameter" Error fix "a parameter that cannot stream is marked `stream`";
    ExternType = "K0440" "extern-type" Error nofix "an extern takes or gives a type that it cannot";
    NotAForm = "K0459" "not-a-form" Error nofix "a person cannot be asked for this type";
    SessionDefault = "K0460" "session-default" Error fix "a field of a session has no default";
    NotStorable = "K0461" "not-storable" Error nofix "a session keeps something that cannot be kept";
    UnboundedFor = "K0480" "unbounded-for" Error fix "a `for` that calls something has no maximum";

    // ---- K05xx: effects, grants, people and triggers ----
    NotApproved = "K0501" "not-approved" Error fix "a call that must be approved is approved by nobody";
    NoWithin = "K0502" "no-within" Error fix "a person is asked without a time limit";
    ApprovedStub = "K0503" "approved-stub" Error fix "the stub of an approval does not say what the person decided";
    Unanswered = "K0504" "unanswered-question" Error fix "a question or a wait has no time limit, or no answer for when nobody answers";
    NotGranted = "K0510" "not-granted" Error nofix "a graph needs more than the profile grants";
    BeyondDoes = "K0511" "beyond-does" Error nofix "a declaration does more than its `does` says";
    RaceWrites = "K0512" "race-writes" Error nofix "an arm of a race changes something";
    ImpurePlace = "K0513" "impure-place" Error nofix "an effect in a place that can only compute";
    FnRecursion = "K0514" "recursive-fn" Error nofix "a function calls itself without a limit";
    UnboundedRecursion = "K0515" "unbounded-recursion" Error nofix "a graph calls itself without a limit";
    UnknownEffect = "K0516" "unknown-effect" Error fix "a header names an effect that does not exist";
    UnknownNeed = "K0517" "unknown-need" Error fix "`needs` of an extern names something unknown";
    ImpureFn = "K0518" "impure-fn" Error nofix "a `fn` has an effect";
    ParallelSaves = "K0519" "parallel-saves" Error nofix "items that run side by side save the same session";
    UndoOfNothing = "K0540" "undo-of-nothing" Error nofix "an `undo` follows something that changes nothing";
    UndoLeaves = "K0541" "undo-leaves" Error nofix "`done` or `next` would leave the block of an `undo`";
    NotASource = "K0550" "not-a-source" Error nofix "a trigger waits for something that is not a source of events";
    TriggerEvent = "K0551" "trigger-event" Error fix "the event of a trigger has another type";
    BadSchedule = "K0552" "bad-schedule" Error nofix "a schedule cannot be read, or never comes due";
    UnknownZone = "K0553" "unknown-zone" Error fix "a time zone does not exist";
    BadWebhookPath = "K0554" "bad-webhook-path" Error fix "the path of a webhook is malformed";
    SourceCalled = "K0555" "source-called" Error nofix "a source of events is called";
    WebhookTaken = "K0556" "webhook-taken" Error nofix "two triggers have the same webhook path";

    // ---- K06xx: labels ----
    UntrustedArgument = "K0601" "untrusted-argument" Error fix "an untrusted value is used where only trusted ones may be";
    ContradictingLabels = "K0602" "contradicting-labels" Error fix "labels of a type contradict or repeat each other";
    UntrustedAsTrusted = "K0603" "untrusted-as-trusted" Error fix "an untrusted value is declared to be trusted";
    PrivateLeaves = "K0604" "private-leaves" Error nofix "something private leaves the program, and the profile is strict";
    AgentCanLeak = "K0605" "agent-can-leak" Error fix "an agent can be talked into sending out what is private";
    UntrustedPlaceholder = "K0606" "untrusted-placeholder" Error fix "a value that decides what is called is not trusted";
    SecretUse = "K0607" "secret-use" Error fix "a secret is used as an ordinary value";

    // ---- K07xx: agents and budgets ----
    BudgetTooSmall = "K0701" "budget-too-small" Error nofix "a budget is smaller than the least that is needed";

    AgentBounds = "K0702" "agent-without-bounds" Error fix "an agent has no limit";
    RepeatedTool = "K0703" "repeated-tool" Error fix "an agent lists a tool twice";
    ToolType = "K0704" "tool-type" Error nofix "a tool takes or gives what no model can write or read";
    RoleContradiction = "K0705" "role-contradiction" Error fix "a model role is asked for more than it needs";

    // ---- K08xx: tests ----
    NoStub = "K0801" "no-stub" Error nofix "a test calls something that has no stub";
    OnlyInTests = "K0802" "only-in-tests" Error nofix "`calls` and the like outside a test";
    BadQuestion = "K0803" "bad-question" Error nofix "`calls`, `called` or `order` is used wrongly";
    ExpectationFailed = "K0804" "expectation-failed" Error nofix "an expectation of a test does not hold";

    // ---- K09xx: packages and locks ----
    UnreadableFile = "K0901" "unreadable-file" Error nofix "a file cannot be read";
    BadProfile = "K0902" "bad-profile" Error nofix "a profile or kait.toml cannot be used";
    BadDependency = "K0903" "bad-dependency" Error nofix "a dependency of kait.toml cannot be used";
    UnpinnedServer = "K0904" "unpinned-server" Error fix "no kait.lock says what an MCP server offers";
    BadLock = "K0905" "bad-lock" Error nofix "a kait.lock cannot be used";
    UnfitTool = "K0906" "unfit-tool" Error nofix "a tool of an MCP server cannot be declared";
    BadGrants = "K0907" "bad-grants" Error nofix "a table of grants cannot be understood";

    // ---- K90xx: run time and replay ----
    Diverged = "K9001" "diverged" Error nofix "a run does not go the way that it went";
    TimedOut = "K9010" "timed-out" Error nofix "a call took longer than its timeout or deadline";
    Interrupted = "K9011" "interrupted" Error nofix "the run was interrupted";
    DeniedByPerson = "K9012" "denied" Error nofix "a person said no";
    NobodyAnswered = "K9013" "unanswered" Error nofix "nobody answered in time";
    RefusedByOther = "K9014" "refused" Error nofix "a call was refused";
    ValueDoesNotFit = "K9015" "value-does-not-fit" Error nofix "a value does not fit its type";
    HttpFailed = "K9016" "http-failed" Error nofix "the other side answered with an HTTP error";
    LeafFailed = "K9017" "leaf-failed" Error nofix "a file, tool or connection failed";
    Trapped = "K9018" "trapped" Error nofix "a computation has no result";
    BudgetUsedUp = "K9019" "budget-used-up" Error nofix "a budget is used up";
    TooDeep = "K9020" "recursion-too-deep" Error nofix "a graph called itself more often than its header allows";
    NothingBound = "K9021" "nothing-bound" Error nofix "nothing is bound to a role or a secret";
    NotKnown = "K9022" "not-known" Error nofix "it is not known whether a write has happened";
    ProgramFailed = "K9023" "program-failed" Error nofix "the program itself failed";
    NobodyToAsk = "K9024" "nobody-to-ask" Error nofix "a person must be asked, and nobody can be asked here";
    NotUndone = "K9025" "not-undone" Warning nofix "what a failed run had done is perhaps not undone";
    NotCompiled = "K9030" "not-compiled" Error nofix "a file is not a compiled program";
    OtherFormat = "K9031" "other-format" Error nofix "a compiled program is of another version";
    DamagedProgram = "K9032" "damaged-program" Error nofix "a compiled program is damaged";
    RefusedProgram = "K9033" "refused-program" Error nofix "a compiled program is refused, as it breaks a rule";
    NoSuchGraph = "K9040" "no-such-graph" Error nofix "there is no graph to run, or several";
    BadInput = "K9041" "bad-input" Error nofix "the run's inputs do not fit its parameters";
    MadeAgain = "K9042" "made-again" Warning nofix "an answer started again after part of it was shown";
    NotAllowed = "K9043" "not-allowed" Error nofix "a token does not allow a request";
    ForeignRequest = "K9044" "foreign-request" Error nofix "a request comes from where none may come from";
    BadRequest = "K9045" "bad-request" Error nofix "a request cannot be understood or taken";
    NoSuchRun = "K9046" "no-such-run" Error nofix "a run is not known, or not known any more";
    ServerBusy = "K9047" "server-busy" Error nofix "the server takes no more at the moment";
    CannotServe = "K9048" "cannot-serve" Error nofix "the server cannot start as it was asked to";
    NoToken = "K9049" "no-token" Error nofix "a request has no token, or one that is not known";
    NameTaken = "K9050" "name-taken" Error nofix "two hosted files have the same name";
    KeyReused = "K9051" "key-reused" Error nofix "an idempotency key stands for another request";
    StoreUnusable = "K9060" "store-unusable" Error nofix "the record of runs cannot be written or read";
    StoreInUse = "K9061" "store-in-use" Error nofix "another process uses what is to be changed";
    OtherStore = "K9062" "other-store" Error nofix "a store is of a newer version, or is none";
    DamagedRecord = "K9063" "damaged-record" Error nofix "a record of a run does not hold what was written";
    NotInStore = "K9064" "not-in-store" Error nofix "what is to be changed does not fit what is recorded";
    NotAsked = "K9065" "not-asked" Error nofix "nobody asks what is to be answered";
    RunHasEnded = "K9066" "run-has-ended" Error nofix "a run has ended, so it cannot be gone on with";
}

impl Code {
    /// The code's row.
    #[must_use]
    pub fn info(self) -> &'static CodeInfo {
        static OUTSIDE: CodeInfo = CodeInfo {
            code: "K0091",
            name: "internal-fault",
            severity: Severity::Error,
            has_fix: false,
            title: "the compiler contradicted itself",
            page: "",
        };
        // The table has one row per variant, in the same order; the fallback is never reached.
        TABLE.get(self as usize).unwrap_or(&OUTSIDE)
    }

    /// The code as it is printed: `K0201`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.info().code
    }

    /// The code that is printed like that, in any case: `k0201`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|code| code.as_str().eq_ignore_ascii_case(text))
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The page about a code, given as a number (`K0201`, any case) or by name (`unknown-name`).
#[must_use]
pub fn explain(code: &str) -> Option<&'static str> {
    TABLE
        .iter()
        .find(|row| row.code.eq_ignore_ascii_case(code) || row.name == code)
        .map(|row| row.page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_sorted_unique_and_well_formed() {
        assert_eq!(TABLE.len(), Code::ALL.len());
        let mut names = std::collections::HashSet::new();
        for pair in TABLE.windows(2) {
            assert!(pair[0].code < pair[1].code, "{} stands before {}", pair[0].code, pair[1].code);
        }
        for (row, code) in TABLE.iter().zip(Code::ALL) {
            assert_eq!(row.code, code.as_str());
            assert_eq!(Code::parse(row.code), Some(*code));
            assert!(names.insert(row.name), "{} twice", row.name);
            let digits = row.code.strip_prefix('K').expect("starts with K");
            assert!(
                digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit()),
                "{}",
                row.code
            );
            assert!(!row.title.ends_with('.'), "{}: titles have no full stop", row.code);
        }
    }

    #[test]
    fn every_code_of_the_parser_has_its_row() {
        for code in kait_syntax::Code::ALL {
            let row = Code::parse(code.as_str()).expect("has a row").info();
            assert_eq!(row.name, code.name(), "{code}");
            let is_error = code.severity() == kait_syntax::Severity::Error;
            assert_eq!(row.severity == Severity::Error, is_error, "{code}");
        }
    }

    #[test]
    fn pages_have_their_parts() {
        for row in TABLE {
            let head = format!("# {}: ", row.code);
            assert!(row.page.starts_with(&head), "{}.md starts with `{head}`", row.code);
        }
    }

    #[test]
    fn explain_takes_numbers_and_names() {
        assert!(explain("k0201").is_some_and(|page| page.contains("K0201")));
        assert_eq!(explain("unknown-name"), explain("K0201"));
        assert_eq!(explain("K9999"), None);
    }
}
