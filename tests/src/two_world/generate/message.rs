//! What a client sends: one item is answered by one ReadyForQuery.

use std::borrow::Cow;

use super::Param;

/// One thing a client sends that is answered by one ReadyForQuery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What is sent.
    pub message: Message,
    /// Plans: their shape is outside the guarantee.
    pub plan: bool,
    /// Whether it is sent at all.
    pub when: When,
}

/// When an item is sent, by what came of another one, so many items before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// In any case.
    Always,
    /// What it builds on was sent and answered without an error.
    Stands(usize),
    /// What it makes good was sent and failed.
    Failed(usize),
}

/// In which protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Message {
    /// A Query.
    Simple(String),
    /// Parse, Bind, Describe, Execute (in parts where `rows` is not 0), Sync.
    Extended {
        /// One statement.
        sql: String,
        /// What to bind, as text.
        params: Vec<Param>,
        /// Results in binary.
        binary: bool,
        /// How many rows the first Execute asks for; a second asks for the rest.
        rows: i32,
    },
    /// Messages one by one, the last of them a Sync or, without any Sync, a Query among them.
    Wire(Vec<Step>),
    /// A Query, and cancel requests until it is answered. The session ends with it, for a cancel request may
    /// be late.
    Cancelled(String),
}

/// One message of the wire protocol. Names of statements and portals are empty for the unnamed ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Prepares.
    Parse {
        /// The statement's name.
        name: &'static str,
        /// Its text.
        sql: String,
        /// Type oids of the parameters.
        types: Vec<u32>,
    },
    /// Makes a portal.
    Bind {
        /// The portal's name.
        portal: &'static str,
        /// The statement's.
        statement: &'static str,
        /// What to bind.
        params: Vec<Param>,
        /// Parameters in binary where [`Param::binary`] knows how.
        binary: bool,
        /// Formats of the result's columns.
        results: Vec<i16>,
    },
    /// Describes a statement.
    DescribeStatement(&'static str),
    /// Describes a portal.
    DescribePortal(&'static str),
    /// Runs a portal for so many rows, 0 for all.
    Execute(&'static str, i32),
    /// Drops a statement.
    CloseStatement(&'static str),
    /// Drops a portal.
    ClosePortal(&'static str),
    /// Asks for what is there.
    Flush,
    /// Ends what an error skips.
    Sync,
    /// A simple query.
    Query(String),
    /// Bytes for COPY FROM STDIN.
    CopyData(&'static str),
    /// The end of them.
    CopyDone,
    /// Or not.
    CopyFail,
}

/// What is sent in a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Script {
    /// Its parts.
    pub items: Vec<Item>,
}

// === impl Message ===

impl Message {
    /// The text of its statements.
    pub fn sql(&self) -> Cow<'_, str> {
        match self.statements().as_slice() {
            [one] => Cow::Borrowed(one),
            several => Cow::Owned(several.join("; ")),
        }
    }

    /// Each text that it has the server read.
    pub fn statements(&self) -> Vec<&str> {
        match self {
            Self::Simple(sql) | Self::Extended { sql, .. } | Self::Cancelled(sql) => vec![sql],
            Self::Wire(steps) => steps.iter().filter_map(Step::sql).collect(),
        }
    }
}

impl Step {
    fn sql(&self) -> Option<&str> {
        match self {
            Self::Parse { sql, .. } | Self::Query(sql) => Some(sql),
            Self::Bind { .. }
            | Self::DescribeStatement(_)
            | Self::DescribePortal(_)
            | Self::Execute(..)
            | Self::CloseStatement(_)
            | Self::ClosePortal(_)
            | Self::Flush
            | Self::Sync
            | Self::CopyData(_)
            | Self::CopyDone
            | Self::CopyFail => None,
        }
    }
}

// === impl Item ===

impl Item {
    /// A simple query.
    pub fn simple(sql: impl Into<String>) -> Self {
        let sql = sql.into();
        Self {
            plan: sql.trim_start().to_ascii_uppercase().starts_with("EXPLAIN"),
            message: Message::Simple(sql),
            when: When::Always,
        }
    }

    /// One statement without parameters in the extended protocol.
    pub fn extended(sql: &str, binary: bool) -> Self {
        Self {
            message: Message::Extended {
                sql: sql.to_owned(),
                params: Vec::new(),
                binary,
                rows: 0,
            },
            ..Self::simple(sql)
        }
    }
}

// === impl Script ===

impl Script {
    /// A statement by itself, in the protocol that its number says: simple, or extended with results in
    /// text or in binary.
    pub fn of(number: usize, sql: &str) -> Self {
        let item = match number % 3 {
            0 => Item::simple(sql),
            format => Item::extended(sql, format == 2),
        };
        Self { items: vec![item] }
    }

    /// The statements of a text, each ended by a semicolon at the end of a line.
    pub fn read(text: &str) -> Vec<Self> {
        let statements = text.split_inclusive(";\n").map(str::trim);
        let statements = statements.map(|statement| statement.trim_end_matches(';'));
        statements
            .filter(|statement| !statement.is_empty())
            .enumerate()
            .map(|(number, sql)| Self::of(number, sql))
            .collect()
    }

    pub(super) fn simple(&mut self, sql: impl Into<String>) {
        self.push(Message::Simple(sql.into()));
    }

    pub(super) fn push(&mut self, message: Message) {
        self.items.push(Item {
            message,
            plan: false,
            when: When::Always,
        });
    }

    pub(super) fn push_plan(&mut self, message: Message) {
        self.items.push(Item {
            message,
            plan: true,
            when: When::Always,
        });
    }

    /// The number of the last item.
    pub(super) fn last(&self) -> usize {
        self.items.len().saturating_sub(1)
    }

    /// Has the items from number `first` on sent only if item `needed` stands, but for those that ask for
    /// something already.
    pub(super) fn needs(&mut self, needed: usize, first: usize) {
        for (number, item) in self.items.iter_mut().enumerate().skip(first) {
            if item.when == When::Always && number > needed {
                item.when = When::Stands(number - needed);
            }
        }
    }

    /// A simple query that is sent only if the last item stands.
    pub(super) fn then(&mut self, sql: impl Into<String>) {
        self.simple(sql);
        let last = self.last();
        self.needs(last.saturating_sub(1), last);
    }

    /// A simple query that is sent only if the last item failed.
    pub(super) fn or_else(&mut self, sql: impl Into<String>) {
        self.simple(sql);
        if let Some(last) = self.items.last_mut() {
            last.when = When::Failed(1);
        }
    }
}
