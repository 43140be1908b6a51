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

variable "cluster" {
  description = "Name of the EKS cluster."
  type        = string
}

variable "namespace" {
  description = "The namespace that jobs run in; it has to be there."
  type        = string
  default     = "tidemark-jobs"
}

variable "kms_key" {
  description = "ARN of the key for logs."
  type        = string
}

variable "log_days" {
  description = "How long logs of jobs are kept."
  type        = number
  default     = 365
}
