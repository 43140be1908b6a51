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

variable "specs" {
  description = "The folder with <source>/source.yaml and a file for each table."
  type        = string

  validation {
    condition     = length(fileset(var.specs, "*/source.yaml")) > 0
    error_message = "specs has no <source>/source.yaml below it: `tidemark discover` writes one."
  }
}

variable "platform" {
  description = "Where Airflow runs: eks, ecs or mwaa."
  type        = string
  default     = "eks"

  validation {
    condition     = contains(["eks", "ecs", "mwaa"], var.platform)
    error_message = "platform has to be eks, ecs or mwaa."
  }
}

variable "zones" {
  description = "Three availability zones."
  type        = list(string)
}

variable "cidr" {
  description = "Addresses of the network."
  type        = string
  default     = "10.40.0.0/16"
}

variable "keep" {
  description = "Whether what holds data can be destroyed only after this was taken away: buckets, databases, secrets."
  type        = bool
}

variable "redundant" {
  description = "Whether everything survives the loss of a zone: a NAT gateway and a database in more than one."
  type        = bool
}

variable "admins" {
  description = "ARN of the roles that may do everything in the cluster, by a name of ours."
  type        = map(string)
  default     = {}
}

variable "mails" {
  description = "E-mail addresses by severity: critical, warning, info."
  type        = map(set(string))
  default     = {}
}

variable "emr_release" {
  description = "EMR release with the Spark that the jobs are locked to."
  type        = string
}

variable "clusters" {
  description = "EMR clusters on EC2 by the workload whose jobs run there (shop-gold): nodes at most, and whether one stands; see emr-cluster. None by default."
  type = map(object({
    most     = optional(number, 8)
    standing = optional(object({ jobs = number, idle_minutes = number }))
  }))
  default = {}
}

variable "warehouse" {
  description = "Redshift Serverless that reads gold: ids of the security groups of those who ask, by a name of ours, units at most, and hours of a unit a month. None by default."
  type = object({
    readers       = map(string)
    most          = optional(number, 16)
    hours_a_month = optional(number, 200)
  })
  default = null
}

variable "database_class" {
  description = "Size of the machine of Airflow's database."
  type        = string
  default     = "db.t4g.medium"
}

variable "kubernetes_from" {
  description = "Addresses from which the API of Kubernetes is reached over the internet; none by default."
  type        = list(string)
  default     = []
}

variable "ci" {
  description = "The repository on GitHub whose pipeline plans and applies, its protected environment, and the state's bucket and key."
  type = object({
    repository    = string
    environment   = string
    state_bucket  = string
    state_prefix  = string
    make_provider = bool
  })
  default = null
}

variable "release" {
  description = "Tag of the images that run, a git sha; only ECS takes it from here."
  type        = string
  default     = "none"
}

variable "domain" {
  description = "Under which name Airflow's pages are reached from the internet; without one they are reached from the network only."
  type        = string
  default     = null
}

variable "mwaa_version" {
  description = "Version of Airflow on MWAA, one that it has; our DAGs take 3.2 and later."
  type        = string
  default     = "3.2.1"
}
