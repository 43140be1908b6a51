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

variable "repository" {
  description = "The repository on GitHub whose workflows take the roles: owner/name."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.repository))
    error_message = "repository has to be owner/name, and no pattern: repo:owner/* would be everybody's of that owner."
  }
}

variable "environment" {
  description = "The protected environment on GitHub whose jobs may apply."
  type        = string
}

variable "state" {
  description = "ARN of the bucket of Terraform's state, and the key below which it lies."
  type        = object({ bucket = string, prefix = string })
}

variable "state_key" {
  description = "ARN of the key that encrypts the state."
  type        = string
}

variable "make_provider" {
  description = "Whether GitHub's issuer is made known to the account; once for each account."
  type        = bool
  default     = true
}

variable "boundary" {
  description = "ARN of the policy beyond which no role goes that the pipeline makes; without one it may make any."
  type        = string
  default     = null
}
