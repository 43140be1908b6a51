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

variable "airflow_version" {
  description = "Version of Airflow, one that MWAA has; our DAGs take 3.2 and later."
  type        = string
}

variable "environment_class" {
  description = "Size of scheduler, web server and workers."
  type        = string
  default     = "mw1.small"
}

variable "workers" {
  description = "How many there are at least and at most; MWAA sees to it itself."
  type        = object({ least = number, most = number })
  default     = { least = 1, most = 5 }

  validation {
    condition     = var.workers.least >= 1 && var.workers.most >= var.workers.least
    error_message = "workers: MWAA keeps one at least, and most has to be at least least."
  }
}

variable "bucket" {
  description = "Name of the bucket with DAG files; it has versions."
  type        = string
}

variable "subnets" {
  description = "Ids of two private subnets."
  type        = list(string)

  validation {
    condition     = length(var.subnets) == 2
    error_message = "subnets have to be two: MWAA takes no more and no fewer."
  }
}

variable "security_group" {
  description = "Id of its security group, which lets itself in."
  type        = string
}

variable "role" {
  description = "ARN of the role that all of it has: MWAA knows one for tasks, scheduler and web server together."
  type        = string
}

variable "kms_key" {
  description = "ARN of the key for its database, queue and logs."
  type        = string
}

variable "environment" {
  description = "What all of its services have in their environment: TIDEMARK_LAKE, TIDEMARK_LAUNCHER and what belongs to it."
  type        = map(string)
  default     = {}
}

variable "settings" {
  description = "Airflow's settings as MWAA writes them: core.default_timezone."
  type        = map(string)
  default     = {}
}
