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

variable "groups" {
  description = "Groups of people who have users in this account, by name, with ARNs of the policies that they have. Those who come by single sign-on need none: prefer that."
  type        = map(list(string))
  default     = {}
}
