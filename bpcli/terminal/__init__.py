"""What people see: tables and progress. Views look at records and never change them."""
