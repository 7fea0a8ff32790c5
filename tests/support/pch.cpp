// Carries the precompiled header that the tests of the engine share.
#include <QtTest/QtTest>

int main() {
  return 0;
}
