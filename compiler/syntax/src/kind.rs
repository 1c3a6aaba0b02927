//! The one vocabulary of the syntax tree: every token, every kind of trivia and every node.
//!
//! The order of the variants is part of the design: tokens stand before nodes, and the reserved and
//! the contextual words stand in blocks of their own, so that the questions the parser asks millions
//! of times ([`SyntaxKind::is_trivia`], [`SyntaxKind::can_be_name`]) are comparisons of one byte.
//! This file must know nothing about how kinds are combined: that is the parser's job.

macro_rules! kinds {
    ($( $(#[$attr:meta])* $name:ident $(= $text:literal)? ; )*) => {
        /// The kind of a token or node.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[repr(u8)]
        pub enum SyntaxKind {
            $( $(#[$attr])* $name, )*
        }

        impl SyntaxKind {
            /// Every kind, in the order of declaration.
            pub const ALL: &'static [SyntaxKind] = &[$( SyntaxKind::$name, )*];

            /// The text of a token that is always written the same way, else `None`.
            #[must_use]
            pub const fn fixed_text(self) -> Option<&'static str> {
                match self {
                    $( $( SyntaxKind::$name => Some($text), )? )*
                    _ => None,
                }
            }

            /// The name of the variant, as it appears in dumps of the tree.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $( SyntaxKind::$name => stringify!($name), )* }
            }
        }
    };
}

kinds! {
    // ---- virtual: seen by the parser only, never in a tree ----
    /// The end of the text.
    Eof;
    /// A newline that ends a statement (§3, newline rule).
    Separator;

    // ---- trivia ----
    /// Blanks and tabs without a line break.
    Whitespace;
    /// Blanks, tabs and at least one line break.
    Newline;
    /// `// ...`
    Comment;
    /// `/* ... */`: not part of the language, kept so that nothing is lost.
    BlockComment;
    /// `# ...`: not part of the language, kept so that nothing is lost.
    HashComment;
    /// `/// ...`: a child of what it documents.
    Doc;
    /// `//! ...` at the top of a file.
    FileDoc;

    // ---- names and literals ----
    /// A lower-case name.
    Lid;
    /// An upper-case name.
    Uid;
    /// `_`
    Underscore = "_";
    /// A number with its unit, if it has one.
    Number;
    /// The opening quotes of a text, with the `r` of a raw one.
    StrStart;
    /// A run of literal characters in a text.
    StrText;
    /// One escape sequence in a text.
    StrEscape;
    /// The `${` of an interpolation.
    InterpStart = "${";
    /// The `}` that ends an interpolation.
    InterpEnd;
    /// The closing quotes of a text.
    StrEnd;

    // ---- punctuation ----
    /// `{`
    LBrace = "{";
    /// `}`
    RBrace = "}";
    /// `(`
    LParen = "(";
    /// `)`
    RParen = ")";
    /// `[`
    LBracket = "[";
    /// `]`
    RBracket = "]";
    /// `,`
    Comma = ",";
    /// `:`
    Colon = ":";
    /// `.`
    Dot = ".";
    /// `..`
    DotDot = "..";
    /// `?.`
    QuestionDot = "?.";
    /// `?`
    Question = "?";
    /// `??`
    QuestionQuestion = "??";
    /// `|`
    Bar = "|";
    /// `|>`
    BarGt = "|>";
    /// `->`
    Arrow = "->";
    /// `=>`
    FatArrow = "=>";
    /// `=`
    Eq = "=";
    /// `==`
    EqEq = "==";
    /// `!=`
    NotEq = "!=";
    /// `<`
    Lt = "<";
    /// `>`
    Gt = ">";
    /// `<=`
    LtEq = "<=";
    /// `>=`
    GtEq = ">=";
    /// `+`
    Plus = "+";
    /// `-`
    Minus = "-";
    /// `*`
    Star = "*";
    /// `/`
    Slash = "/";
    /// `%`
    Percent = "%";

    // ---- what other languages write; always an error, kept as one token each ----
    /// `...`
    DotDotDot = "...";
    /// `&&`
    AmpAmp = "&&";
    /// `||`
    BarBar = "||";
    /// `!`
    Bang = "!";
    /// `;`
    Semicolon = ";";
    /// `:=`
    ColonEq = ":=";
    /// `===`
    EqEqEq = "===";
    /// `!==`
    NotEqEq = "!==";
    /// `++`
    PlusPlus = "++";
    /// `+=`
    PlusEq = "+=";
    /// `-=`
    MinusEq = "-=";
    /// `*=`
    StarEq = "*=";
    /// `/=`
    SlashEq = "/=";
    /// A text in single quotes.
    SingleQuoted;
    /// A text in backticks.
    BacktickQuoted;
    /// Characters that begin no token.
    Unknown;

    // ---- reserved words: from `let` to `graph` ----
    /// `let`
    LetKw = "let";
    /// `if`
    IfKw = "if";
    /// `else`
    ElseKw = "else";
    /// `match`
    MatchKw = "match";
    /// `for`
    ForKw = "for";
    /// `in`
    InKw = "in";
    /// `loop`
    LoopKw = "loop";
    /// `race`
    RaceKw = "race";
    /// `try`
    TryKw = "try";
    /// `catch`
    CatchKw = "catch";
    /// `undo`
    UndoKw = "undo";
    /// `fail`
    FailKw = "fail";
    /// `done`
    DoneKw = "done";
    /// `next`
    NextKw = "next";
    /// `with`
    WithKw = "with";
    /// `and`
    AndKw = "and";
    /// `or`
    OrKw = "or";
    /// `not`
    NotKw = "not";
    /// `is`
    IsKw = "is";
    /// `true`
    TrueKw = "true";
    /// `false`
    FalseKw = "false";
    /// `none`
    NoneKw = "none";
    /// `fn`
    FnKw = "fn";
    /// `graph`
    GraphKw = "graph";

    // ---- contextual words: from `use` to `private`; plain names elsewhere ----
    /// `use`
    UseKw = "use";
    /// `pub`
    PubKw = "pub";
    /// `record`
    RecordKw = "record";
    /// `enum`
    EnumKw = "enum";
    /// `type`
    TypeKw = "type";
    /// `model`
    ModelKw = "model";
    /// `prompt`
    PromptKw = "prompt";
    /// `agent`
    AgentKw = "agent";
    /// `extern`
    ExternKw = "extern";
    /// `session`
    SessionKw = "session";
    /// `trigger`
    TriggerKw = "trigger";
    /// `test`
    TestKw = "test";
    /// `needs`
    NeedsKw = "needs";
    /// `from`
    FromKw = "from";
    /// `on`
    OnKw = "on";
    /// `as`
    AsKw = "as";
    /// `does`
    DoesKw = "does";
    /// `where`
    WhereKw = "where";
    /// `max`
    MaxKw = "max";
    /// `parallel`
    ParallelKw = "parallel";
    /// `then`
    ThenKw = "then";
    /// `after`
    AfterKw = "after";
    /// `stub`
    StubKw = "stub";
    /// `approve`
    ApproveKw = "approve";
    /// `expect`
    ExpectKw = "expect";
    /// `tools`
    ToolsKw = "tools";
    /// `stream`
    StreamKw = "stream";
    /// `system`
    SystemKw = "system";
    /// `user`
    UserKw = "user";
    /// `assistant`
    AssistantKw = "assistant";
    /// `messages`
    MessagesKw = "messages";
    /// `secret`: a declaration word and a qualifier.
    SecretKw = "secret";
    /// `trusted`
    TrustedKw = "trusted";
    /// `untrusted`
    UntrustedKw = "untrusted";
    /// `public`
    PublicKw = "public";
    /// `private`
    PrivateKw = "private";

    // ---- nodes: files and declarations ----
    /// A whole file: declarations.
    SourceFile;
    /// What could not be parsed; holds the skipped tokens.
    Error;
    /// `use path as name`
    Use;
    /// `let binder: Type = expr`, as a declaration or a statement.
    Let;
    /// `record Name { fields }`
    Record;
    /// One field of a record or session.
    Field;
    /// `as "wire-name"`
    WireName;
    /// `enum Name { variants }`
    Enum;
    /// One variant of an enum.
    Variant;
    /// `type Name = Type`
    TypeAlias;
    /// `model name needs (...)`
    Model;
    /// `needs (...)` of a model, `needs approval` of an extern.
    Needs;
    /// `secret name`
    Secret;
    /// `fn name(params) -> Type { }`
    Fn;
    /// `graph name(params) -> Type in Session does ... with (...) { }`
    Graph;
    /// `in Session`
    InSession;
    /// `prompt` or `agent`.
    Prompt;
    /// `model role with (...)` in a prompt.
    PromptModel;
    /// `system expr`, `user expr`, `assistant expr`, `messages expr`
    PromptMessage;
    /// `tools [ ... ]`
    PromptTools;
    /// One tool of an agent: a path with policies.
    Tool;
    /// `extern name(params) -> Type ... from kind "locator"`
    Extern;
    /// `from kind "locator"`
    From;
    /// `session Name { fields }`
    Session;
    /// `trigger name on path(args) as event: Type with (...) { }`
    Trigger;
    /// `as event: Type` of a trigger.
    TriggerEvent;
    /// `test "name" with (...) { }`
    Test;
    /// `stub path(patterns) => outcome then outcome`
    Stub;
    /// One outcome of a stub.
    Outcome;
    /// `expect expr`
    Expect;
    /// `<A, B>` of a declaration.
    TypeParams;
    /// `(name: Type, ...)` of a declaration or variant.
    Params;
    /// One parameter.
    Param;
    /// `does effect, effect`
    Does;
    /// One effect: `write net "api.example.com"`, `model`.
    Effect;
    /// `with ( ... )`
    Policies;
    /// `( ... )` of a call, of policies, of `where`, `needs` and `next`.
    Args;
    /// One argument.
    Arg;
    /// `a.b.C`
    Path;

    // ---- nodes: types ----
    /// `text`, `mail.Message`, `Result<T>`
    NamedType;
    /// `<T, U>` of a named type.
    TypeArgs;
    /// `[T]`
    ListType;
    /// `[K: V]`
    MapType;
    /// `none`
    NoneType;
    /// `T?`
    OptionalType;
    /// `T where (...)`
    RefinedType;
    /// `trusted T`
    QualifiedType;
    /// `where (...)`
    Where;

    // ---- nodes: blocks ----
    /// `{ statements }`
    Block;
    /// `{ arms }` of `match` and `catch`.
    Arms;
    /// `pattern if guard => body`
    Arm;
    /// `if expr` of an arm or a `for`.
    Guard;

    // ---- nodes: expressions ----
    /// `fail expr`
    FailExpr;
    /// `done expr`
    DoneExpr;
    /// `next(args)`
    NextExpr;
    /// `expr catch { arms }`
    CatchExpr;
    /// `expr undo { }`
    UndoExpr;
    /// `expr |> expr`
    PipeExpr;
    /// `expr ?? expr`
    CoalesceExpr;
    /// Two operands and one of `or and == != < > <= >= + - * / %`.
    BinaryExpr;
    /// `not expr`, `-expr`, `try expr`
    UnaryExpr;
    /// `expr in expr`
    InExpr;
    /// `expr is pattern`
    IsExpr;
    /// `expr.name`
    FieldExpr;
    /// `expr?.name`
    OptFieldExpr;
    /// `expr.Name`
    UidFieldExpr;
    /// `expr(args)`
    CallExpr;
    /// `expr with (...)`
    WithExpr;
    /// `expr[expr]`
    IndexExpr;
    /// A lower-case name used as a value.
    NameExpr;
    /// An upper-case name used as a value.
    UNameExpr;
    /// A number.
    NumberExpr;
    /// A text with its interpolations.
    StrExpr;
    /// `${expr}` inside a text.
    Interpolation;
    /// `true`, `false`
    BoolExpr;
    /// `none`
    NoneExpr;
    /// `[a, ..b]`
    ListExpr;
    /// `[k: v]`, `[:]`
    MapExpr;
    /// `k: v` in a map.
    MapEntry;
    /// `(expr)`
    ParenExpr;
    /// `if expr { } else { }`
    IfExpr;
    /// `match expr { arms }`
    MatchExpr;
    /// `for pattern in expr if expr max expr parallel expr { }`
    ForExpr;
    /// `max expr` of a `for` or `loop`.
    MaxClause;
    /// `parallel expr` of a `for`.
    ParallelClause;
    /// `loop vars max expr { } else { }`
    LoopExpr;
    /// `name: Type = expr` of a `loop`.
    LoopVar;
    /// `race 2 { bodies }`
    RaceExpr;
    /// `.name` as an argument
    Selector;
    /// `..expr`
    Spread;

    // ---- nodes: patterns ----
    /// `_`
    WildcardPat;
    /// `name`
    NamePat;
    /// `1`, `-1`, `1..5`
    NumberPat;
    /// `"text"`
    StrPat;
    /// `true`, `false`
    BoolPat;
    /// `none`
    NonePat;
    /// `Tag`, `module.Enum.Tag(patterns)`
    VariantPat;
    /// The name of a variant: `Tag`, `Enum.Tag`, `module.Enum.Tag`.
    Tag;
    /// `( patterns )` of a variant or stub.
    PatArgs;
    /// `pattern` or `name: pattern`
    PatArg;
    /// `[a, b, ..rest]`
    ListPat;
    /// `..rest`
    RestPat;
    /// `A | B`
    OrPat;
}

impl SyntaxKind {
    /// Blanks, line breaks and comments, docs included.
    #[inline]
    #[must_use]
    pub const fn is_trivia(self) -> bool {
        self as u8 >= Self::Whitespace as u8 && self as u8 <= Self::FileDoc as u8
    }

    /// Any comment, docs included.
    #[inline]
    #[must_use]
    pub const fn is_comment(self) -> bool {
        self as u8 >= Self::Comment as u8 && self as u8 <= Self::FileDoc as u8
    }

    /// A word that can never name a let, parameter or binder.
    #[inline]
    #[must_use]
    pub const fn is_reserved_word(self) -> bool {
        self as u8 >= Self::LetKw as u8 && self as u8 <= Self::GraphKw as u8
    }

    /// A word that means something special in one place only.
    #[inline]
    #[must_use]
    pub const fn is_contextual_word(self) -> bool {
        self as u8 >= Self::UseKw as u8 && self as u8 <= Self::PrivateKw as u8
    }

    /// A reserved or contextual word.
    #[inline]
    #[must_use]
    pub const fn is_keyword(self) -> bool {
        self as u8 >= Self::LetKw as u8 && self as u8 <= Self::PrivateKw as u8
    }

    /// A lower-case name or a contextual word, which is a name outside its clause.
    #[inline]
    #[must_use]
    pub const fn can_be_name(self) -> bool {
        matches!(self, Self::Lid) || self.is_contextual_word()
    }

    /// A lower-case name or any word: what may stand after a `.` or before a `:`.
    #[inline]
    #[must_use]
    pub const fn can_be_field_name(self) -> bool {
        matches!(self, Self::Lid) || self.is_keyword()
    }

    /// The qualifiers of types: `secret trusted untrusted public private`.
    #[inline]
    #[must_use]
    pub const fn is_qualifier(self) -> bool {
        self as u8 >= Self::SecretKw as u8 && self as u8 <= Self::PrivateKw as u8
    }

    /// The first words of prompt items with a message.
    #[inline]
    #[must_use]
    pub const fn is_role(self) -> bool {
        self as u8 >= Self::SystemKw as u8 && self as u8 <= Self::MessagesKw as u8
    }

    /// Whether elements of this kind have children.
    #[inline]
    #[must_use]
    pub const fn is_node(self) -> bool {
        self as u8 >= Self::SourceFile as u8
    }

    /// Whether elements of this kind carry text of their own.
    #[inline]
    #[must_use]
    pub const fn is_token(self) -> bool {
        !self.is_node()
    }

    /// Opening bracket to closing bracket.
    #[must_use]
    pub const fn closing(self) -> Option<Self> {
        match self {
            Self::LBrace => Some(Self::RBrace),
            Self::LParen => Some(Self::RParen),
            Self::LBracket => Some(Self::RBracket),
            Self::InterpStart => Some(Self::InterpEnd),
            _ => None,
        }
    }

    /// The kind from its number, the inverse of `as u8`.
    #[inline]
    #[must_use]
    pub fn from_u8(number: u8) -> Option<Self> {
        Self::ALL.get(usize::from(number)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::SyntaxKind;

    #[test]
    fn numbers_and_kinds_agree() {
        for (number, &kind) in SyntaxKind::ALL.iter().enumerate() {
            assert_eq!(kind as usize, number);
            assert_eq!(SyntaxKind::from_u8(kind as u8), Some(kind));
            assert_ne!(kind.is_node(), kind.is_token());
        }
        assert!(SyntaxKind::ALL.len() < 256);
    }

    #[test]
    fn words_are_words() {
        for &kind in SyntaxKind::ALL {
            let is_word = kind
                .fixed_text()
                .is_some_and(|text| text.starts_with(|c: char| c.is_ascii_lowercase()));
            assert_eq!(kind.is_keyword(), is_word, "{kind:?}");
        }
    }
}
