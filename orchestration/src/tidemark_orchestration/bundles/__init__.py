"""DAG files in S3, version by version: published whole, promoted in one step, kept for the runs that began with them.

    <url>/objects/<sha256>            a file's content; the same content is stored once
    <url>/manifests/<version>.json    which files a version has, each with the SHA-256 of its content
    <url>/current.json                the version that new runs begin with

A version is named by what is in it. Nothing that was written is changed but `current.json`: so no version that runs
still need can go by the expiry of old S3 versions, and a rollback is a promotion of an older one.
"""
