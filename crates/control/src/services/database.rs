//! DatabaseService.

use std::sync::Arc;

use phigate_proto::v1;
use phigate_proto::v1::database_service_server::DatabaseService;
use tonic::{Request, Response, Status};

use crate::hardening;
use crate::plane::Plane;

/// Administration of what stands inside protected databases.
pub(crate) struct Database(pub(crate) Arc<Plane>);

#[tonic::async_trait]
impl DatabaseService for Database {
    async fn harden_database(
        &self,
        request: Request<v1::HardenDatabaseRequest>,
    ) -> Result<Response<v1::HardenDatabaseResponse>, Status> {
        let plane = Arc::clone(&self.0);
        let request = request.into_inner();
        // A caller that hangs up does not leave a script unrecorded.
        let made = tokio::spawn(async move { hardening::harden(&plane, request).await });
        let made = made.await.map_err(|_| Status::internal("it failed"))?;
        Ok(Response::new(made?))
    }

    async fn unharden_database(
        &self,
        request: Request<v1::UnhardenDatabaseRequest>,
    ) -> Result<Response<v1::UnhardenDatabaseResponse>, Status> {
        let plane = Arc::clone(&self.0);
        let request = request.into_inner();
        let made = tokio::spawn(async move { hardening::unharden(&plane, request).await });
        let made = made.await.map_err(|_| Status::internal("it failed"))?;
        Ok(Response::new(made?))
    }

    async fn examine_database(
        &self,
        request: Request<v1::ExamineDatabaseRequest>,
    ) -> Result<Response<v1::ExamineDatabaseResponse>, Status> {
        let request = request.into_inner();
        let answer = hardening::examine(&self.0, request).await?;
        Ok(Response::new(answer))
    }
}
