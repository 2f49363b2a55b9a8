"""Stubs: started, asked, compared; the search for payloads that they do not read alike."""
