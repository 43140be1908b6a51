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

variable "bucket" {
  description = "ARN of the bucket that they end up in."
  type        = string
}

variable "kms_key" {
  description = "ARN of the bucket's key."
  type        = string
}

variable "groups" {
  description = "Names of the groups of CloudWatch whose lines go there, too."
  type        = set(string)
  default     = []
}
