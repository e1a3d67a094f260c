"""No tables: codes and names are bundled files."""
