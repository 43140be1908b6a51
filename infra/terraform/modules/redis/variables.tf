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

variable "subnets" {
  description = "Ids of subnets without a way out, in two zones at least."
  type        = list(string)
}

variable "security_group" {
  description = "Id of the security group that says who may connect."
  type        = string
}

variable "kms_key" {
  description = "ARN of the key for what lies in it."
  type        = string
}

variable "node_type" {
  description = "Size of a node."
  type        = string
  default     = "cache.t4g.small"
}

variable "replicas" {
  description = "How many nodes stand by in other zones: one takes over when the first is lost."
  type        = number
  default     = 1

  validation {
    condition     = var.replicas >= 0 && var.replicas <= 5
    error_message = "replicas has to be 0 to 5: ElastiCache has no more."
  }
}
