namespace bulwark {}
