//! Sequences of the wire protocol: statements and portals by name, read in parts, in both formats,
//! described, closed, pipelined behind one Sync, with errors, refusals and COPY in between.

use super::{DEPTH, Generator, Message, Param, Script, Step};
use crate::two_world::schema::Ty;

const STATEMENTS: [&str; 3] = ["s1", "s2", "s3"];
const PORTALS: [&str; 3] = ["p1", "p2", ""];

/// What the gateway refuses, whatever the grant.
const REFUSED: [&str; 6] = [
    "SELECT pg_read_file('postgresql.conf')",
    "SELECT * FROM pg_statistic",
    "SELECT ctid FROM patients",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "EXPLAIN ANALYZE SELECT * FROM patients",
    "SELECT $1::text, query_to_xml('SELECT * FROM patients', true, true, '')",
];

/// What PostgreSQL rejects, in each phase.
const REJECTED: [&str; 6] = [
    "SELECT 1 / 0",
    "SELECT 'x'::int",
    "SELECT 1 WHERE 'a' = 1",
    "SELECT (SELECT patient_id FROM patients)",
    "SELECT last_name::int FROM patients",
    "SELECT coalesce(ssn, last_name)::date FROM patients WHERE patient_id = 1",
];

/// Lines for COPY FROM STDIN, right and wrong.
const LINES: [&str; 5] = [
    "1\tone\n",
    "2\t\\N\n3\tx\\ty\n",
    "x\ty\n",
    "4\n",
    "5\tfive\tmore\n",
];

/// Several tables without a condition: runs until it is cancelled.
const ENDLESS: &str = "SELECT count(*) FROM patients a, patients b, patients c, patients d, patients e \
                       WHERE a.last_name < b.last_name OR c.city <> e.city OR d.sex = 'F'";

/// A statement as the script knows it.
#[derive(Debug, Clone, Default)]
struct Known {
    params: Vec<Param>,
    /// How many columns its rows have.
    columns: usize,
}

/// The prepared ones.
type Prepared = [Option<Known>; STATEMENTS.len()];

impl Generator<'_> {
    pub(super) fn wire(&mut self, script: &mut Script) {
        let mut prepared = Prepared::default();
        for _ in 0..=self.choices.below(3) {
            let mut steps = Vec::new();
            for _ in 0..=self.choices.below(4) {
                self.budget = super::BUDGET / 2;
                self.operation(&mut steps, &mut prepared);
            }
            steps.push(Step::Sync);
            script.push(Message::Wire(steps));
            // Now and then what follows stands in a transaction that failed.
            if self.choices.chance(80) {
                script.or_else("ROLLBACK");
            }
            if self.choices.chance(15) {
                let sql = self.select_statement();
                script.simple(sql);
            }
        }
        script.simple("ROLLBACK");
        script.simple("DEALLOCATE ALL");
    }

    fn operation(&mut self, steps: &mut Vec<Step>, prepared: &mut Prepared) {
        match self
            .choices
            .weighted([16, 8, 5, 1, 2, 2, 3, 2, 3, 2, 2].into_iter())
        {
            0 => self.whole_statement(steps),
            1 => self.named(steps, prepared),
            2 => self.again(steps, prepared),
            3 => {
                let sql = (*self.choices.one(&REFUSED)).to_owned();
                self.plain(steps, sql);
            }
            4 => {
                let sql = (*self.choices.one(&REJECTED)).to_owned();
                self.plain(steps, sql);
            }
            5 => {
                let name = *self.choices.one(&STATEMENTS);
                steps.push(match self.choices.below(4) {
                    0 => Step::DescribeStatement(name),
                    1 => Step::DescribePortal(self.choices.one::<&str>(&PORTALS)),
                    2 => Step::Execute(self.choices.one::<&str>(&PORTALS), 2),
                    _ => Step::ClosePortal(self.choices.one::<&str>(&PORTALS)),
                });
            }
            6 => steps.push(Step::Flush),
            7 => {
                let at = self.choices.below(STATEMENTS.len());
                prepared[at] = None;
                steps.push(Step::CloseStatement(STATEMENTS[at]));
            }
            8 => {
                let words = [
                    "BEGIN",
                    "COMMIT",
                    "SAVEPOINT a",
                    "ROLLBACK TO a",
                    "ROLLBACK",
                    "",
                ];
                let sql = (*self.choices.one(&words)).to_owned();
                self.plain(steps, sql);
            }
            9 => {
                let query = self.query(&[Ty::Int, Ty::Text], 2);
                let format = self.choices.one(&["", " (FORMAT csv)", " (FORMAT binary)"]);
                self.plain(steps, format!("COPY ({query}) TO STDOUT{format}"));
            }
            _ => self.copy_in(steps),
        }
    }

    /// Unnamed from Parse to Execute.
    fn whole_statement(&mut self, steps: &mut Vec<Step>) {
        let (sql, known) = self.ordered();
        steps.push(Step::Parse {
            name: "",
            sql,
            types: Vec::new(),
        });
        let bind = self.bind("", known);
        steps.push(bind);
        if self.choices.chance(70) {
            steps.push(Step::DescribePortal(""));
        }
        self.run(steps, "");
    }

    /// A statement with parameters, each of its parts in an order that is its own every time.
    fn ordered(&mut self) -> (String, Known) {
        self.params = Some(Vec::new());
        let types = self.types(3);
        let query = self.query(&types, DEPTH);
        let params = self.params.take().unwrap_or_default();
        let order = self.order(types.len());
        let columns = types.len();
        (format!("{query}{order}"), Known { params, columns })
    }

    fn bind(&mut self, statement: &'static str, known: Known) -> Step {
        let Known { params, columns } = known;
        let results = match self.choices.weighted([6, 6, 6, 6, 1].into_iter()) {
            0 => Vec::new(),
            1 => vec![0],
            2 => vec![1],
            3 => (0..columns)
                .map(|_| i16::from(self.choices.chance(50)))
                .collect(),
            // Right only for so many columns.
            _ => vec![0, 1],
        };
        Step::Bind {
            portal: if statement.is_empty() {
                ""
            } else {
                self.choices.one::<&str>(&PORTALS)
            },
            statement,
            params,
            binary: self.choices.chance(40),
            results,
        }
    }

    /// All rows, or some and then the rest, or some only.
    fn run(&mut self, steps: &mut Vec<Step>, portal: &'static str) {
        match self.choices.below(4) {
            0 | 1 => steps.push(Step::Execute(portal, 0)),
            2 => {
                steps.push(Step::Execute(portal, 2));
                if self.choices.chance(30) {
                    steps.push(Step::Flush);
                }
                steps.push(Step::Execute(portal, 1));
                steps.push(Step::Execute(portal, 0));
            }
            _ => steps.push(Step::Execute(portal, 3)),
        }
    }

    fn named(&mut self, steps: &mut Vec<Step>, prepared: &mut Prepared) {
        let at = self.choices.below(STATEMENTS.len());
        let name = STATEMENTS[at];
        // Without this the name is taken now and then, which is an error.
        if prepared[at].is_some() && self.choices.chance(80) {
            steps.push(Step::CloseStatement(name));
        }
        let (sql, known) = self.ordered();
        let typed = self.choices.chance(30);
        steps.push(Step::Parse {
            name,
            sql,
            types: if typed {
                known.params.iter().map(|param| param.ty.oid()).collect()
            } else {
                Vec::new()
            },
        });
        if self.choices.chance(50) {
            steps.push(Step::DescribeStatement(name));
        }
        prepared[at] = Some(known);
        self.bound(steps, at, prepared);
    }

    fn again(&mut self, steps: &mut Vec<Step>, prepared: &mut Prepared) {
        let there: Vec<usize> = (0..STATEMENTS.len())
            .filter(|at| prepared[*at].is_some())
            .collect();
        let at = if there.is_empty() || self.choices.chance(10) {
            self.choices.below(STATEMENTS.len())
        } else {
            *self.choices.one(&there)
        };
        self.bound(steps, at, prepared);
    }

    fn bound(&mut self, steps: &mut Vec<Step>, at: usize, prepared: &Prepared) {
        // Of a statement that is not there, a Bind fails.
        let known = prepared[at].clone().unwrap_or_default();
        let bind = self.bind(STATEMENTS[at], known);
        let portal = match &bind {
            Step::Bind { portal, .. } => *portal,
            _ => "",
        };
        steps.push(bind);
        if self.choices.chance(50) {
            steps.push(Step::DescribePortal(portal));
        }
        self.run(steps, portal);
        if !portal.is_empty() {
            steps.push(Step::ClosePortal(portal));
        }
    }

    fn plain(&mut self, steps: &mut Vec<Step>, sql: String) {
        steps.push(Step::Parse {
            name: "",
            sql,
            types: Vec::new(),
        });
        steps.push(Step::Bind {
            portal: "",
            statement: "",
            params: Vec::new(),
            binary: false,
            results: Vec::new(),
        });
        if self.choices.chance(50) {
            steps.push(Step::DescribePortal(""));
        }
        steps.push(Step::Execute("", 0));
    }

    /// Into a table of the session's own, and out of it again.
    fn copy_in(&mut self, steps: &mut Vec<Step>) {
        self.plain(steps, "DROP TABLE IF EXISTS lines".to_owned());
        self.plain(
            steps,
            "CREATE TEMP TABLE lines (c0 int PRIMARY KEY, c1 text)".to_owned(),
        );
        self.plain(steps, "COPY lines FROM STDIN".to_owned());
        for _ in 0..=self.choices.below(3) {
            steps.push(Step::CopyData(self.choices.one::<&str>(&LINES)));
        }
        steps.push(if self.choices.chance(15) {
            Step::CopyFail
        } else {
            Step::CopyDone
        });
        self.plain(steps, "SELECT * FROM lines ORDER BY 1".to_owned());
    }

    /// Several statements in one Query, one of which is refused or fails; or one that is cancelled.
    pub(super) fn among(&mut self, script: &mut Script) {
        if self.choices.chance(5) {
            script.push(Message::Cancelled(ENDLESS.to_owned()));
            return;
        }
        let (one, other) = (self.select_statement(), self.select_statement());
        let between = match self.choices.below(3) {
            0 => *self.choices.one(&REFUSED),
            _ => *self.choices.one(&REJECTED),
        };
        script.simple(format!("{one}; {between}; {other}"));
        if self.choices.chance(50) {
            script.push(Message::Wire(vec![Step::Query(
                "CREATE TEMP TABLE lines (c0 int, c1 text)".to_owned(),
            )]));
            let made = script.last();
            script.push(Message::Wire(vec![
                Step::Query("COPY lines FROM STDIN".to_owned()),
                Step::CopyData(self.choices.one::<&str>(&LINES)),
                Step::CopyDone,
            ]));
            script.simple("SELECT * FROM lines");
            script.simple("DROP TABLE lines");
            script.needs(made, made + 1);
        }
    }
}

// === impl Param ===

impl Param {
    /// The value in PostgreSQL's binary format, where that is simple.
    pub fn binary(&self) -> Option<Vec<u8>> {
        let text = self.text?;
        match self.ty {
            Ty::Int => Some(text.parse::<i32>().ok()?.to_be_bytes().to_vec()),
            Ty::Big => Some(text.parse::<i64>().ok()?.to_be_bytes().to_vec()),
            Ty::Real => Some(text.parse::<f32>().ok()?.to_be_bytes().to_vec()),
            Ty::Bool => Some(vec![u8::from(text == "true")]),
            Ty::Text => Some(text.as_bytes().to_vec()),
            _ => None,
        }
    }
}
