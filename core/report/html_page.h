#pragma once

#include <string>

namespace bulwark::report {

/// A complete HTML document with the reports' style sheet inside; `body` is HTML, `title` text.
std::string htmlPage(const std::string& title, const std::string& body);

}  // namespace bulwark::report
