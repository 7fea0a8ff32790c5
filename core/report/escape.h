#pragma once

#include <string>
#include <string_view>

namespace bulwark {

/// Text for LaTeX: the ten special characters as commands, so that `_ & % #` print as themselves.
std::string escapeLatex(std::string_view text);
/// Text for HTML and SVG, also inside a quoted attribute; control characters are dropped.
std::string escapeHtml(std::string_view text);
/// Text inside a Markdown table cell or paragraph.
std::string escapeMarkdown(std::string_view text);
/// A CSV field (RFC 4180): quoted only where it must be.
std::string csvField(std::string_view text);
std::string base64(std::string_view bytes);
/// Number of characters of UTF-8 text (code points), for aligned columns.
int textWidth(std::string_view text);

}  // namespace bulwark
