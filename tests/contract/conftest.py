from hypothesis import settings

# Python that waits for a busy core is not slow code.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")
