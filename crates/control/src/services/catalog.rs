//! CatalogService.

use std::sync::Arc;

use phigate_proto::v1;
use phigate_proto::v1::catalog_service_server::CatalogService;
use tonic::{Request, Response, Status};

use crate::plane::Plane;
use crate::{classification, explain};

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

    async fn show_classification(
        &self,
        request: Request<v1::ShowClassificationRequest>,
    ) -> Result<Response<v1::ShowClassificationResponse>, Status> {
        let answer = classification::show(&self.0, request.into_inner()).await?;
        Ok(Response::new(answer))
    }

    async fn compare_classification(
        &self,
        request: Request<v1::CompareClassificationRequest>,
    ) -> Result<Response<v1::CompareClassificationResponse>, Status> {
        let answer = classification::compare(&self.0, request.into_inner()).await?;
        Ok(Response::new(answer))
    }

    async fn discover_classification(
        &self,
        request: Request<v1::DiscoverClassificationRequest>,
    ) -> Result<Response<v1::DiscoverClassificationResponse>, Status> {
        let answer = classification::discover(&self.0, request.into_inner()).await?;
        Ok(Response::new(answer))
    }
}
