"""What a change of the schema breaks: from where two schemas come, what runtimes make of their payloads, findings."""
