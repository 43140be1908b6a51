output "name" {
  description = "What every name begins with."
  value       = var.name
}

output "platform" {
  description = "Where Airflow runs: eks, ecs or mwaa."
  value       = var.platform
}

output "sources" {
  description = "Names of the sources."
  value       = sort(keys(local.sources))
}

output "jobs" {
  description = "What runs jobs on EMR Serverless is told: TIDEMARK_LAUNCHER and what belongs to it."
  value       = local.jobs
}

output "settings" {
  description = "What the parts are told: values for Helm and for the workers."
  value = {
    TIDEMARK_LAKE                       = module.lake.url
    TIDEMARK_DAGS                       = "s3://${module.lake.buckets["dags"]}/dags"
    TIDEMARK_EMR_SERVERLESS_APPLICATION = module.emr_serverless.id
    TIDEMARK_SPARK_LOGS                 = "s3://${module.lake.buckets["logs"]}/jobs/"
    AWS_REGION                          = local.here
  }
}

output "plain_dags" {
  description = "Where MWAA reads DAG files, as they are; elsewhere nobody does."
  value       = [for environment in module.airflow_mwaa : environment.dags]
}

output "airflow" {
  description = "What all services of Airflow are told: where results and logs lie, and whom a failure is told."
  value       = local.shared
}

output "buckets" {
  description = "The bucket's name by purpose."
  value       = module.lake.buckets
}

output "images" {
  description = "Where images are pushed to, by name."
  value       = module.ecr.urls
}

output "cluster" {
  description = "Name of the EKS cluster."
  value       = module.eks.name
}

output "roles" {
  description = "ARN of the role by workload."
  value       = module.workloads.arns
}

output "service_accounts" {
  description = "ARN of the role by service account, <namespace>/<name>."
  value       = module.workloads.service_accounts
}

output "secrets" {
  description = "ARN of the secret by name."
  value       = module.secrets.arns
}

output "metadata" {
  description = "Airflow's database: its address, and the secret with its owner's password."
  value       = [for database in module.metadata : { address = database.address, database = database.database, secret = database.secret }]
}

output "prepare" {
  description = "The task that makes Airflow's database ready, and where it runs; on ECS only."
  value = [for airflow in module.airflow_ecs : {
    cluster = airflow.cluster
    task    = airflow.prepare
    subnets = module.network.subnets["private"]
    group   = module.network.security_groups["prepare"]
  }]
}

output "readers" {
  description = "ARNs of the policies that let one read a source's tables."
  value       = module.sources.readers
}

output "topics" {
  description = "ARN of the topic by severity."
  value       = module.messaging.topics
}

output "clusters" {
  description = "Of each EMR cluster on EC2 the id of the one that stands, and what others are made from, by workload."
  value       = { for workload, cluster in module.emr_cluster : workload => { id = cluster.id, template = cluster.template } }
}

output "warehouse" {
  description = "Redshift: where it answers, the secret with its owner's password, and the role by which it reads gold."
  value       = [for warehouse in module.redshift : { address = warehouse.address, secret = warehouse.secret, role = warehouse.role }]
}
