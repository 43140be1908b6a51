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

variable "kms_key" {
  description = "ARN of the key that encrypts them."
  type        = string
}

variable "secrets" {
  description = "What is kept, by name below <name>/. `draw`: 32 letters and digits (`text`), or those as a Fernet key (`fernet`), drawn once and known to nobody; left out, a person or the owner of a database puts the value in."
  type = map(object({
    description = string
    draw        = optional(string)
  }))

  validation {
    condition     = alltrue([for secret in var.secrets : contains(["text", "fernet"], coalesce(secret.draw, "text"))])
    error_message = "draw has to be text, fernet, or left out."
  }
}

variable "draw_again" {
  description = "A number that is raised to draw all of them anew: what was encrypted by the old ones has to be encrypted again first."
  type        = number
  default     = 1
}

variable "recovery_days" {
  description = "How long a secret that is deleted can be taken back; 0 is for stacks that come and go."
  type        = number
  default     = 30

  validation {
    condition     = var.recovery_days == 0 || (var.recovery_days >= 7 && var.recovery_days <= 30)
    error_message = "recovery_days has to be 0, or 7 to 30."
  }
}
