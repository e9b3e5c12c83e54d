//! CatalogService.

use std::sync::Arc;

use phigate_proto::v1;
use phigate_proto::v1::catalog_service_server::CatalogService;
use tonic::{Request, Response, Status};

use crate::explain;
use crate::plane::Plane;

/// Questions about what is in a database and what a grant makes of it.
pub(crate) struct Catalog(pub(crate) Arc<Plane>);

#[tonic::async_trait]
impl CatalogService for Catalog {
    async fn explain_statement(
        &self,
        request: Request<v1::ExplainStatementRequest>,
    ) -> Result<Response<v1::ExplainStatementResponse>, Status> {
        let question = explain::Question::read(request.into_inner())?;
        let answer = explain::explain(&self.0, question).await?;
        Ok(Response::new(answer))
    }
}
