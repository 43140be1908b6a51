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

variable "release" {
  description = "EMR release; it has to have the Spark that the jobs are locked to, or `image` brings it."
  type        = string
}

variable "image" {
  description = "URI of an image in ECR that the jobs run in; without one, what `TIDEMARK_SPARK_ARCHIVES` names is unpacked."
  type        = string
  default     = null
}

variable "subnets" {
  description = "Ids of private subnets: the source is reached from there."
  type        = list(string)
}

variable "security_group" {
  description = "Id of the security group of jobs."
  type        = string
}

variable "most" {
  description = "What all jobs together may take at one time: what costs money is limited here."
  type        = object({ vcpus = number, memory_gb = number, disk_gb = number })
  default     = { vcpus = 64, memory_gb = 256, disk_gb = 1000 }
}

variable "idle_minutes" {
  description = "After how long without a job nothing is kept ready any more."
  type        = number
  default     = 15
}
