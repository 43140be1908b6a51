variable "region" {
  description = "Where all of it lies."
  type        = string
}

variable "specs" {
  description = "The folder with <source>/source.yaml: what is mirrored."
  type        = string
}

variable "admins" {
  description = "ARN of the roles that may do everything in the cluster, by a name of ours."
  type        = map(string)
}

variable "mails" {
  description = "E-mail addresses by severity: critical, warning, info."
  type        = map(set(string))
  default     = {}
}

variable "platform" {
  description = "Where Airflow runs: eks, ecs or mwaa."
  type        = string
  default     = "eks"
}

variable "emr_release" {
  description = "EMR release with the Spark that the jobs are locked to (jobs/requirements.lock)."
  type        = string
  default     = "emr-spark-8.1.0"
}

variable "release" {
  description = "Tag of the images that run, a git sha."
  type        = string
  default     = "none"
}

variable "domain" {
  description = "Under which name Airflow's pages are reached from the internet; without one from the network only."
  type        = string
  default     = null
}

variable "clusters" {
  description = "EMR clusters on EC2, by the workload whose jobs run there: {\"shop-gold\" = {most = 16}}; modules/stack says what else."
  type = map(object({
    most     = optional(number, 8)
    standing = optional(object({ jobs = number, idle_minutes = number }))
  }))
  default = {}
}

variable "warehouse" {
  description = "Redshift Serverless that reads gold: {readers = {bi = \"sg-…\"}}; modules/stack says what else."
  type = object({
    readers       = map(string)
    most          = optional(number, 16)
    hours_a_month = optional(number, 200)
  })
  default = null
}

variable "kubernetes_from" {
  description = "Addresses from which the API of Kubernetes is reached over the internet; none by default."
  type        = list(string)
  default     = []
}

variable "ci" {
  description = "The repository on GitHub whose pipeline plans and applies, its protected environment, and the bucket and prefix of the state; none by default."
  type = object({
    repository    = string
    environment   = string
    state_bucket  = string
    state_prefix  = string
    make_provider = bool
  })
  default = null
}
