//! Who may call what.

use phigate_pki::DevCa;
use phigate_proto::v1;
use tonic::Code;

use super::rig::{Rig, request, within};

#[tokio::test]
async fn admin_calls_need_the_token() {
    let rig = Rig::start().await;
    let mut admin = rig.admin();
    let bare = within(admin.grants.create_grant(request()))
        .await
        .unwrap_err();
    assert_eq!(bare.code(), Code::Unauthenticated);
    let token = std::mem::replace(&mut admin.token, "x".repeat(43));
    let wrong = admin.create(request()).await.unwrap_err();
    assert_eq!(wrong.code(), Code::Unauthenticated);
    let list = admin.with_token(v1::ListSessionsRequest::default());
    assert_eq!(
        admin.sessions.list_sessions(list).await.unwrap_err().code(),
        Code::Unauthenticated
    );
    admin.token = token;
    admin.create(request()).await.unwrap();
}

#[tokio::test]
async fn gateway_calls_need_a_gateways_certificate() {
    let rig = Rig::start().await;
    let lookup = v1::LookUpCredentialsRequest::default;
    let trusted = rig.ca.certificate_pem();
    let client = |channel| v1::gateway_service_client::GatewayServiceClient::new(channel);
    let mut nobody = client(rig.channel(trusted, None));
    let refused = within(nobody.look_up_credentials(lookup()))
        .await
        .unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated, "{refused}");
    // A certificate of the same CA that is not a gateway's: TLS refuses it as a client's.
    let server = rig.ca.server("other", &["gw-1"]).unwrap();
    let mut server = client(rig.channel(trusted, Some(&server)));
    assert!(within(server.look_up_credentials(lookup())).await.is_err());
    // A gateway's certificate of another CA.
    let elsewhere = tempfile::tempdir().unwrap();
    let other = DevCa::load_or_create(elsewhere.path()).unwrap();
    let foreign = other.gateway("gw", &"gw-1".parse().unwrap()).unwrap();
    let mut foreign = client(rig.channel(trusted, Some(&foreign)));
    assert!(within(foreign.look_up_credentials(lookup())).await.is_err());
    // And a client that trusts another CA does not talk to this control plane.
    let identity = rig.ca.gateway("gw", &"gw-1".parse().unwrap()).unwrap();
    let mut deceived = client(rig.channel(other.certificate_pem(), Some(&identity)));
    assert!(
        within(deceived.look_up_credentials(lookup()))
            .await
            .is_err()
    );
    let mut gateway = rig.gateway("gw-1");
    within(gateway.look_up_credentials(lookup())).await.unwrap();
}

#[tokio::test]
async fn a_gateways_certificate_is_not_an_admins_token() {
    let rig = Rig::start().await;
    let identity = rig.ca.gateway("gw", &"gw-1".parse().unwrap()).unwrap();
    let channel = rig.channel(rig.ca.certificate_pem(), Some(&identity));
    let mut grants = v1::grant_service_client::GrantServiceClient::new(channel);
    let refused = within(grants.create_grant(request())).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);
}
