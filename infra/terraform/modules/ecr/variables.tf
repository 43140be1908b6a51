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

variable "repositories" {
  description = "One repository per image: airflow, flink, spark, console."
  type        = set(string)
}

variable "kms_key" {
  description = "ARN of the key that encrypts them."
  type        = string
}

variable "keep" {
  description = "How many images of each are kept; a roll-back goes no further."
  type        = number
  default     = 30
}

variable "force_destroy" {
  description = "Whether `destroy` deletes repositories that hold images: never in production."
  type        = bool
  default     = false
}
