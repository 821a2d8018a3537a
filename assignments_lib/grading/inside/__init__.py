"""What runs inside the sandbox: walls, and the template of which every submission gets a copy. It knows no secrets."""
