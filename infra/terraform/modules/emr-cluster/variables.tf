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

variable "workload" {
  description = "Whose jobs run here, as the roles are named: shop-gold, shop-maintain."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9_-]+-(mirror|gold|maintain|erase)$", var.workload))
    error_message = "workload has to be <source>-mirror, -gold, -maintain or -erase: nothing else runs as a job."
  }
}

variable "role" {
  description = "Name of the role that its nodes have; it has to trust EC2."
  type        = string
}

variable "release" {
  description = "EMR release; it has to have the Spark that the jobs are locked to."
  type        = string
}

variable "subnet" {
  description = "Id of a private subnet that is tagged for EMR: the source is reached from there."
  type        = string
}

variable "security_group" {
  description = "Id of the security group of jobs, tagged for EMR."
  type        = string
}

variable "kms_key" {
  description = "ARN of the key for the disks of nodes."
  type        = string
}

variable "artefacts" {
  description = "Name of the bucket for code: what a node does before it takes work lies there."
  type        = string
}

variable "unpacked" {
  description = "What lies on each node, by folder: {\"/opt/tidemark\" = \"s3://…/venv.tar.gz\", \"/opt/tidemark/specs\" = \"s3://…/specs.zip\"}."
  type        = map(string)
  default     = {}
}

variable "log_uri" {
  description = "Where logs go, s3://…/jobs/."
  type        = string
}

variable "primary_type" {
  description = "Size of the primary node: drivers run there."
  type        = string
  default     = "m6i.xlarge"
}

variable "core_type" {
  description = "Size of the nodes that executors run on."
  type        = string
  default     = "m6i.2xlarge"
}

variable "nodes" {
  description = "How many nodes executors have at least and at most: what costs money is limited here."
  type        = object({ least = number, most = number })
  default     = { least = 1, most = 8 }

  validation {
    condition     = var.nodes.least >= 1 && var.nodes.most >= var.nodes.least
    error_message = "nodes: least has to be 1 or more, for EMR keeps its own files there, and most at least least."
  }
}

variable "standing" {
  description = "One that stands: how many jobs run on it at a time, and after how many minutes without one it ends. Without it clusters are made for jobs only."
  type        = object({ jobs = number, idle_minutes = number })
  default     = null

  validation {
    condition     = var.standing == null || try(var.standing.idle_minutes >= 1 && var.standing.idle_minutes <= 10080 && var.standing.jobs >= 1 && var.standing.jobs <= 256, false)
    error_message = "standing: idle_minutes has to be 1 minute to 7 days, and jobs 1 to 256, as EMR has it."
  }
}
