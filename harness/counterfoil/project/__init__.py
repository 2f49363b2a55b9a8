"""Reading and writing the files of a user's project: counterfoil.toml, pacts, protos, witnesses, waivers, builds."""
