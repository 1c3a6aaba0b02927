//! The registry of the codes that this crate raises: K00xx for syntax and habits of other languages,
//! K01xx for enforced style. One row each; the compiler re-exports the table and adds its own.
//!
//! A code is never reused for another mistake, so that links to its page stay true.

/// Whether a text must be refused.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Severity {
    /// The text is accepted, with a remark.
    Warning,
    /// The text is refused.
    Error,
}

macro_rules! codes {
    ($( $variant:ident = $code:literal, $name:literal, $severity:ident, $doc:literal; )*) => {
        /// A registered code.
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[non_exhaustive]
        pub enum Code {
            $( #[doc = $doc] $variant, )*
        }

        impl Code {
            /// Every code of this crate, in the order of their numbers.
            pub const ALL: &'static [Code] = &[$( Code::$variant, )*];

            /// The code as it is printed: `K0012`.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $( Code::$variant => $code, )* }
            }

            /// The code's short name: `no-return`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $( Code::$variant => $name, )* }
            }

            /// What the code is about, in one line.
            #[must_use]
            pub const fn summary(self) -> &'static str {
                match self { $( Code::$variant => $doc, )* }
            }

            /// Whether the text must be refused.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $( Code::$variant => Severity::$severity, )* }
            }
        }
    };
}

codes! {
    // ---- syntax ----
    Unexpected = "K0001", "unexpected-token", Error, "Something else is expected here.";
    UnclosedBracket = "K0002", "unclosed-bracket", Error, "A bracket is not closed.";
    UnclosedText = "K0003", "unclosed-text", Error, "A text is not closed.";
    TooDeep = "K0004", "too-deep", Error, "The code is nested too deeply.";
    StrayCloser = "K0005", "stray-closer", Error, "A closing bracket closes nothing.";
    UnknownCharacter = "K0006", "unknown-character", Error, "A character has no meaning here.";
    BadNumber = "K0007", "bad-number", Error, "A number or its unit is malformed.";
    BadEscape = "K0008", "bad-escape", Error, "An escape sequence is malformed.";
    FileTooLarge = "K0009", "file-too-large", Error, "A file is larger than the limit.";
    ReservedWord = "K0010", "reserved-word", Error, "A reserved word is used as a name.";
    MissingNewline = "K0011", "missing-newline", Error, "Two statements share a line.";
    // ---- habits of other languages ----
    Return = "K0012", "no-return", Error, "There is no `return`: the last expression of a block is its value.";
    Null = "K0013", "no-null", Error, "Absence is written `none`.";
    LogicOperator = "K0014", "logic-operator", Error, "Logic is written `and`, `or`, `not`.";
    Semicolon = "K0015", "no-semicolon", Error, "A newline ends a statement; there are no semicolons.";
    Quotes = "K0016", "double-quotes", Error, "Texts are written in double quotes.";
    Const = "K0017", "no-const", Error, "Names are bound with `let`.";
    FunctionWord = "K0018", "function-word", Error, "Functions are declared with `fn`, graphs with `graph`.";
    Lambda = "K0019", "no-lambda", Error, "There are no lambdas.";
    ArrowKind = "K0020", "arrow-kind", Error, "Arms use `=>`, results of declarations `->`.";
    AssignInCondition = "K0021", "assign-in-condition", Error, "Equality is written `==`.";
    Equality = "K0022", "strict-equality", Error, "Equality is written `==` and `!=`.";
    Elif = "K0023", "else-if", Error, "A further condition is written `else if`.";
    Async = "K0024", "no-async", Error, "There is no `async` and no `await`.";
    Switch = "K0025", "no-switch", Error, "Cases are told apart with `match`.";
    While = "K0026", "no-while", Error, "Repetition is bounded: `for` and `loop`.";
    Mutation = "K0027", "no-mutation", Error, "Names are bound once and never change.";
    Ternary = "K0028", "no-ternary", Error, "A choice is written `if c { a } else { b }`.";
    FString = "K0029", "no-string-prefix", Error, "Every text takes `${...}`; prefixes have no meaning.";
    CommentStyle = "K0030", "comment-style", Error, "Comments are written `//`.";
    LetWithoutValue = "K0031", "let-without-value", Error, "A `let` needs its value.";
    ForeignDeclaration = "K0032", "foreign-declaration", Error, "Types are declared with `record`, `enum` and `type`.";
    ColonForEquals = "K0033", "colon-for-equals", Error, "A value is bound with `let name = value`.";
    BraceOnNextLine = "K0034", "brace-on-next-line", Error, "A `{` stands on the line of its header.";
    ChainedComparison = "K0035", "chained-comparison", Error, "Comparisons do not chain.";
    NamedArgument = "K0036", "named-argument", Error, "Arguments are named with `:`.";
    RecordLiteral = "K0037", "record-literal", Error, "Records are built with `Name(field: value)`.";
    DefaultArm = "K0038", "default-arm", Error, "The arm for everything else is `_`.";
    ParameterType = "K0039", "parameter-type", Error, "A type stands after its name and a colon.";
    Spread = "K0040", "spread-style", Error, "A spread is written `..`.";
    TypeForm = "K0041", "type-form", Error, "Lists are `[T]`, optional types `T?`.";
    // ---- the last word ----
    FurtherErrors = "K0099", "further-errors", Error, "More errors than are shown.";
    // ---- style ----
    LowerCase = "K0101", "lower-case-name", Error, "Values, fields, graphs and modules are named in snake_case.";
    UpperCase = "K0102", "upper-case-name", Error, "Types, variants and sessions are named in UpperCamelCase.";
    MisplacedDoc = "K0103", "misplaced-doc", Warning, "A doc comment documents nothing.";
    BidiControl = "K0104", "bidi-control", Warning, "An invisible character changes how the text is displayed.";
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Code;

    #[test]
    fn codes_and_names_are_unique_and_well_formed() {
        let mut seen = std::collections::HashSet::new();
        for code in Code::ALL {
            assert!(seen.insert(code.as_str()), "{code} twice");
            assert!(seen.insert(code.name()), "{} twice", code.name());
            let number = code.as_str().strip_prefix('K').expect("starts with K");
            assert!(number.len() == 4 && number.bytes().all(|b| b.is_ascii_digit()));
            assert!(number.starts_with("00") || number.starts_with("01"));
        }
    }
}
