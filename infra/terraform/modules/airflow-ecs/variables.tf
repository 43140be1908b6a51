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

variable "image" {
  description = "URI of Airflow's image with its tag, a git sha."
  type        = string
}

variable "network" {
  description = "Where it runs: the network, its private and its data subnets, and ids of security groups as in network/matrix.yaml."
  type = object({
    vpc_id          = string
    private         = list(string)
    data            = list(string)
    security_groups = map(string)
  })
}

variable "kms_key" {
  description = "ARN of the key for logs and the disk."
  type        = string
}

variable "roles" {
  description = "ARN of the role by service: pages, scheduler, …"
  type        = map(string)
}

variable "secrets" {
  description = "ARN of the secret by name: fernet-key, jwt-secret, api-key, admin-password, scaler-password, and of RDS database-password."
  type        = map(string)
}

variable "database" {
  description = "Airflow's database: where it is, its name and its user."
  type        = object({ address = string, name = string, user = string })
}

variable "queue" {
  description = "Redis, as Celery is told of it: for what is queued, and for results. SQS does not do: the scaler talks to workers through it."
  type        = object({ broker = string, results = string })
}

variable "settings" {
  description = "What all services are told besides: logs and results on S3, and whom a failure is told."
  type        = map(string)
  default     = {}
}

variable "job_settings" {
  description = "What workers are told, and the triggerer, which waits for jobs: TIDEMARK_LAKE, TIDEMARK_LAUNCHER and what that needs."
  type        = map(string)
  default     = {}
}

variable "dags_url" {
  description = "Where versions of the DAG files are: s3://bucket/dags."
  type        = string
}

variable "base_url" {
  description = "How people reach the pages: https://airflow.example.org."
  type        = string
}

variable "target_group" {
  description = "ARN of the load balancer's target group for the pages; without one they are reached from the network only."
  type        = string
  default     = null
}

variable "workers" {
  description = "How many workers there are at least and at most, and tasks on each at a time."
  type        = object({ least = number, most = number, concurrency = number })
  default     = { least = 0, most = 10, concurrency = 4 }

  validation {
    condition     = var.workers.most >= var.workers.least && var.workers.concurrency >= 1
    error_message = "workers: most has to be at least least, and concurrency at least 1."
  }
}

variable "pages_hours" {
  description = "When the pages are there, as cron times in UTC; without it always. Tasks go on while they are not."
  type        = object({ from = string, until = string })
  default     = null
}
