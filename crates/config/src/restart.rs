//! What a running daemon cannot take over from a changed file.

use phigate_types::Secret;

use crate::{Config, Control, Database, Gateway, Tls};

impl Config {
    /// The keys whose values differ between the two and hold until a restart. What is not among them is
    /// taken over by a reload: the certificates, `gateway.drain_timeout`, the principals, and of each
    /// database its catalog, its rules, `unclassified` and `admin`.
    pub fn needs_restart(&self, new: &Self) -> Vec<String> {
        // Taken apart in whole, so that a new key is decided on here.
        let Self {
            path: _,
            data_dir,
            control,
            gateway,
            recording,
            monitoring,
            databases,
            principals: _,
        } = self;
        let mut keys = Vec::new();
        let mut held = |key: &str, differs: bool| {
            if differs {
                keys.push(key.to_owned());
            }
        };
        held("data_dir", *data_dir != new.data_dir);
        held("audit.recording", *recording != new.recording);
        held("monitoring.listen", *monitoring != new.monitoring);
        let Control {
            listen,
            store,
            names: _,
        } = control;
        held("control.listen", *listen != new.control.listen);
        held("control.store", *store != new.control.store);
        let Gateway {
            id,
            listen,
            advertise,
            tls,
            channel_binding: _,
            control,
            drain_timeout: _,
        } = gateway;
        held("gateway.id", *id != new.gateway.id);
        held("gateway.listen", *listen != new.gateway.listen);
        held("gateway.advertise", *advertise != new.gateway.advertise);
        held("gateway.control", *control != new.gateway.control);
        let is_off = |tls: &Tls| *tls == Tls::Off;
        held("gateway.tls", is_off(tls) != is_off(&new.gateway.tls));
        let names = |databases: &[Database]| {
            let mut names: Vec<_> = databases.iter().map(|one| one.name.clone()).collect();
            names.sort();
            names
        };
        held("database", names(databases) != names(&new.databases));
        for database in databases {
            if let Some(new) = new.databases.iter().find(|new| new.name == database.name) {
                keys.extend(database.needs_restart(new));
            }
        }
        keys
    }
}

impl Database {
    fn needs_restart(&self, new: &Self) -> impl Iterator<Item = String> {
        let Self {
            name,
            upstream,
            passthrough,
            catalog: _,
            rows: _,
            unclassified: _,
            enforcement,
            admin: _,
            accept,
        } = self;
        let url = |url: &Secret<String>| url.expose().clone();
        let held = [
            ("upstream", url(upstream) != url(&new.upstream)),
            ("passthrough", *passthrough != new.passthrough),
            ("enforcement", *enforcement != new.enforcement),
            ("accept", *accept != new.accept),
        ];
        let name = name.clone();
        held.into_iter()
            .filter(|(_, differs)| *differs)
            .map(move |(key, _)| format!("{key} of database {name}"))
    }
}
