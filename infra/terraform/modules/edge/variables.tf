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

variable "domain" {
  description = "Under which name the pages are reached: airflow.example.org. Its zone is made here; the registrar has to be told its name servers."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9-]+\\.){2,}[a-z]+$", var.domain))
    error_message = "domain has to be a host's name like airflow.example.org."
  }
}

variable "vpc_id" {
  description = "The network."
  type        = string
}

variable "subnets" {
  description = "Ids of the public subnets."
  type        = list(string)
}

variable "security_group" {
  description = "Id of the balancer's security group."
  type        = string
}

variable "log_bucket" {
  description = "Name of the bucket for access logs; S3's own key has to encrypt it."
  type        = string
}

variable "internal_names" {
  description = "Names that only the network knows, and what they lead to: {airflow-db = \"….rds.amazonaws.com\"}."
  type        = map(string)
  default     = {}
}

variable "requests_per_address" {
  description = "How many requests an address may make in five minutes."
  type        = number
  default     = 2000
}

variable "protect" {
  description = "Whether the balancer cannot be destroyed: off only for stacks that come and go."
  type        = bool
  default     = true
}
