variable "name" {
  description = "Begins every name: <project>-<environment>."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}[a-z0-9]$", var.name))
    error_message = "name has to be 3 to 32 of a-z, 0-9 and -, with a letter first: it becomes part of bucket names."
  }
}

variable "tags" {
  description = "On everything that can be tagged."
  type        = map(string)
}

variable "sources" {
  description = "Names of the sources that are mirrored."
  type        = set(string)

  validation {
    condition     = alltrue([for source in var.sources : length("${var.name}-${source}-maintain") <= 64])
    error_message = "A source's name is too long: <name>-<source>-maintain is a role, and IAM takes 64 characters."
  }
}

variable "buckets" {
  description = "ARN of the bucket by purpose: lake, checkpoints, logs, dags, xcom, artefacts."
  type        = map(string)
}

variable "kms_keys" {
  description = "ARN of the key by purpose, as the buckets have them: lake, platform."
  type        = object({ lake = string, platform = string })
}

variable "database_secrets" {
  description = "ARNs of the secrets in which RDS keeps the passwords of our databases."
  type        = list(string)
  default     = []
}

variable "topics" {
  description = "ARNs of the topics that Airflow tells."
  type        = list(string)
  default     = []
}

variable "eks" {
  description = "The cluster whose pods take roles, and its issuer; without one none does. `jobs_namespace` is EMR's."
  type = object({
    name           = string
    oidc_arn       = string
    oidc_issuer    = string
    jobs_namespace = string
  })
  default = null
}

variable "emr_serverless" {
  description = "ARN of the application whose jobs take roles; without one none does."
  type        = object({ arn = string })
  default     = null
}

variable "emr_on_eks" {
  description = "ARN of the virtual cluster that workers start jobs in."
  type        = object({ arn = string })
  default     = null
}

variable "emr_clusters" {
  description = "Workloads whose jobs run on EMR clusters of their own (shop-gold): nodes take their roles, and workers make and use such clusters."
  type        = set(string)
  default     = []
}

variable "ecs" {
  description = "The ECS cluster whose tasks take the roles of Airflow's services, and the family of its workers."
  type        = object({ cluster_arn = string, worker_family = string })
  default     = null
}

variable "mwaa" {
  description = "Whether AWS runs Airflow, as the environment with our name: by one role, airflow-mwaa, in place of those of our services."
  type        = bool
  default     = false
}

variable "namespaces" {
  description = "Where pods run: `airflow` its services, `stream` Flink, `jobs` Spark that is no EMR's."
  type        = object({ airflow = string, stream = string, jobs = string })
  default     = { airflow = "airflow", stream = "tidemark-stream", jobs = "tidemark-jobs" }
}
