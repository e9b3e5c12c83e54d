//! From the store's events to audit leaves. What somebody typed goes into the encrypted part.

use phigate_audit::Entry;
use phigate_audit::record::{Action, Confirmation, ControlEvent, Payload, Record};
use phigate_store::{Event, Leaf, SYSTEM};
use phigate_types::Version;

/// The entry that tells of an event.
pub(crate) fn entry(leaf: Leaf) -> Entry {
    let (actor, version, action, reason) = parts(leaf.event);
    Entry {
        session: None,
        record: Record::Control(ControlEvent {
            actor,
            version,
            sequence: leaf.sequence,
            action,
        }),
        payload: reason
            .filter(|text| !text.is_empty())
            .map(|reason| Payload {
                reason: Some(reason),
                ..Payload::default()
            }),
    }
}

fn parts(event: Event) -> (String, Version, Action, Option<String>) {
    let by_itself = |version, action| (SYSTEM.to_owned(), version, action, None);
    match event {
        Event::GrantCreated {
            actor,
            version,
            grant,
            epoch,
            principal,
            database,
            profile,
            purpose,
            reason,
            reveal,
            block,
            write,
            max_sessions,
            project,
            policy,
            expires_at,
            cohort,
            patients,
            sensitivity,
            data_use_agreement,
            determination,
            max_rows,
            max_patients,
            max_identifiers,
            max_bytes,
        } => {
            let action = Action::GrantCreated {
                grant,
                epoch,
                principal,
                database,
                profile,
                purpose,
                reveal,
                block,
                write,
                project,
                policy,
                max_sessions,
                expires_at,
                cohort,
                patients,
                sensitivity,
                data_use_agreement,
                determination,
                max_rows,
                max_patients,
                max_identifiers,
                max_bytes,
            };
            (actor, version, action, Some(reason))
        }
        Event::GrantRevoked {
            actor,
            version,
            grant,
            epoch,
            tombstone,
            reason,
        } => {
            let action = Action::GrantRevoked {
                grant,
                epoch,
                tombstone,
            };
            (actor, version, action, Some(reason))
        }
        Event::GrantExpired {
            version,
            grant,
            epoch,
        } => by_itself(version, Action::GrantExpired { grant, epoch }),
        Event::SessionOpened {
            session,
            grant,
            gateway,
            version,
        } => by_itself(
            version,
            Action::SessionAuthorised {
                session,
                grant,
                gateway,
            },
        ),
        Event::SessionKilled {
            actor,
            version,
            session,
            reason,
        } => (
            actor,
            version,
            Action::SessionKilled { session },
            Some(reason),
        ),
        Event::SessionClosed {
            session,
            gateway,
            reason,
            version,
        } => by_itself(
            version,
            Action::SessionEnded {
                session,
                gateway,
                reason,
            },
        ),
        Event::GrantReclassified {
            version,
            grant,
            epoch,
            policy,
        } => by_itself(
            version,
            Action::GrantReclassified {
                grant,
                epoch,
                policy,
            },
        ),
        Event::AdminTokenChanged { version } => by_itself(version, Action::AdminTokenChanged {}),
        Event::BarrierPassed {
            version,
            grant,
            session,
            gateways,
        } => {
            let gateways = gateways.into_iter().map(|part| Confirmation {
                gateway: part.gateway,
                sessions_ended: part.sessions_ended,
                after_us: part.after_us,
                lease_over: part.lease_over,
            });
            let gateways = gateways.collect();
            by_itself(
                version,
                Action::BarrierPassed {
                    grant,
                    session,
                    gateways,
                },
            )
        }
        Event::GatewayAttached {
            gateway,
            instance: _,
            version,
        } => by_itself(version, Action::GatewayAttached { gateway }),
        Event::GatewayDetached {
            gateway,
            instance: _,
            version,
        } => by_itself(version, Action::GatewayDetached { gateway }),
        Event::GatewayFenced {
            gateway,
            instance: _,
            version,
        } => by_itself(version, Action::GatewayFenced { gateway }),
        Event::GatewayHead {
            gateway,
            head,
            version,
        } => by_itself(version, Action::GatewayHead { gateway, head }),
        Event::CallsRefused {
            call,
            reason,
            count,
            version,
        } => by_itself(
            version,
            Action::CallRefused {
                call,
                reason,
                count,
            },
        ),
        Event::DatabaseChanged {
            actor,
            database,
            hardened,
            script,
            version,
        } => {
            let action = Action::DatabaseChanged {
                database,
                hardened,
                script,
            };
            (actor, version, action, None)
        }
        Event::StoreRolledBack {
            store,
            seen,
            grants_revoked: _,
        } => by_itself(
            store.max(seen),
            Action::StoreRolledBack { store, log: seen },
        ),
    }
}
