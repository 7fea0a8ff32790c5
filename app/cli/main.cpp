#include <iostream>

#include "bulwark/version.h"

int main() {
  std::cout << "bulwark-cli " << BULWARK_VERSION << '\n';
  return 0;
}
