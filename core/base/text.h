#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bulwark {

/// "8/255", "0.03" or "1e-2" as a number; nothing if it is not a finite number or fraction.
std::optional<double> parseFraction(std::string_view text);
/// 0.0313725... as "8/255" where it is a whole number of 1/255 steps, else the shortest decimal.
std::string formatFraction(double value);
/// The candidate nearest to `word` by edit distance, if near enough to be a likely typo.
std::optional<std::string> nearestName(std::string_view word,
                                       const std::vector<std::string>& candidates);
/// "; did you mean 'steps'?" or an empty string.
std::string suggestion(std::string_view word, const std::vector<std::string>& candidates);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string lower(std::string_view text);
/// 75.2 -> "1 min 15 s"; 0.42 -> "0.4 s"; 4000 -> "1 h 7 min".
std::string formatDuration(double seconds);
/// The shortest decimal text that reads back as the same double ("0.1", "1e-05", "nan").
std::string formatNumber(double value);
/// Fixed decimals, independent of the locale.
std::string formatFixed(double value, int decimals);

}  // namespace bulwark
