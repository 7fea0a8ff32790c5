#include "core/report/html_page.h"

#include "core/report/escape.h"

namespace bulwark {

std::string report::htmlPage(const std::string& title, const std::string& body) {
  static const char* style = R"(
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; margin: 2rem auto; padding: 0 1rem;
  max-width: 76rem; color: #1c2430; background: #ffffff; }
h1 { font-size: 1.7rem; margin-bottom: .2rem; } h2 { margin-top: 2.2rem; } h3 { margin-top: 1.6rem; }
table { border-collapse: collapse; margin: .8rem 0; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: #56616f; padding-bottom: .4rem; }
thead tr:first-child { border-top: 2px solid #1c2430; }
thead tr:last-child { border-bottom: 1px solid #1c2430; }
tbody tr:last-child { border-bottom: 2px solid #1c2430; }
th, td { padding: .25rem .7rem; text-align: right; vertical-align: top; }
th[scope=row], td.text { text-align: left; font-weight: normal; }
th[scope=colgroup] { text-align: center; }
thead th:first-child { text-align: left; }
.health { border-left: 4px solid #2e7d32; background: #eef6ee; padding: .5rem .9rem; }
.health.bad { border-color: #b3261e; background: #fbeceb; }
.scroll { overflow-x: auto; }
.figures { display: flex; flex-wrap: wrap; gap: 1rem; }
.figures svg { max-width: 100%; height: auto; background: #ffffff; border-radius: 4px; }
.pairs { display: flex; flex-wrap: wrap; gap: 1rem; }
.pairs figure { margin: 0; } .pairs figcaption { font-size: .8rem; color: #56616f; max-width: 20rem; }
.pairs img { width: 96px; image-rendering: pixelated; margin-right: 4px; border: 1px solid #d4dae1; }
pre { background: #f4f6f8; padding: .8rem; overflow-x: auto; font-size: .85rem; }
@media (prefers-color-scheme: dark) {
  body { color: #e4e8ee; background: #15191f; } caption, .pairs figcaption { color: #9aa5b3; }
  pre { background: #1e242c; } thead tr:first-child, thead tr:last-child, tbody tr:last-child
  { border-color: #9aa5b3; } .health { background: #1b2a1d; } .health.bad { background: #33201f; }
}
)";
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>" +
         escapeHtml(title) + "</title>\n<style>" + style + "</style>\n</head>\n<body>\n" + body +
         "</body>\n</html>\n";
}

}  // namespace bulwark
