#include <QtTest/QtTest>

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <limits>
#include <numeric>
#include <ostream>
#include <set>
#include <thread>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/random.h"
#include "core/base/sha256.h"
#include "core/base/task.h"
#include "core/base/text.h"
#include "store_checks.h"

using namespace bulwark;
using namespace std::chrono_literals;
using samples::contains;
using samples::messageOf;
namespace fs = std::filesystem;

class TestBase : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void initTestCase() {
    QVERIFY(folder_.isValid());
    root_ = folder_.path().toStdString();
  }

  // Errors ---------------------------------------------------------------------------------

  void errorsSayWhatWhereAndWhatToDo() {
    const Error error = Error::badInput("is too large", "attacks[0].eps", "expected eps <= 1");
    QCOMPARE(std::string(error.what()),
             std::string("attacks[0].eps: is too large; expected eps <= 1"));
    QCOMPARE(error.exitCode(), 2);
    QCOMPARE(std::string(Error::failed("no").what()), std::string("no"));
    QCOMPARE(Error::failed("no").exitCode(), 1);
    QCOMPARE(Error::cancelled().exitCode(), 130);
    QVERIFY(Error::cancelled().kind() == Error::Kind::Cancelled);
  }

  // Text -----------------------------------------------------------------------------------

  void fractions_data() {
    QTest::addColumn<QString>("text");
    QTest::addColumn<bool>("valid");
    QTest::addColumn<double>("value");
    QTest::newRow("fraction") << "8/255" << true << 8.0 / 255;
    QTest::newRow("blanks") << " 8 / 255 " << true << 8.0 / 255;
    QTest::newRow("decimal") << "0.03" << true << 0.03;
    QTest::newRow("exponent") << "1e-2" << true << 0.01;
    QTest::newRow("plus") << "+2" << true << 2.0;
    QTest::newRow("negative") << "-1/4" << true << -0.25;
    QTest::newRow("zero") << "0/255" << true << 0.0;
    for (const char* bad : {"", " ", "8/256x", "8/", "/255", "8/0", "1/2/3", "nan", "inf", "1e999",
                            "0x10", "1,5", "+-5", "++5", "8 255", "1e308/1e-308"}) {
      QTest::newRow(bad) << bad << false << 0.0;
    }
  }

  void fractions() {
    QFETCH(QString, text);
    QFETCH(bool, valid);
    QFETCH(double, value);
    const auto parsed = parseFraction(text.toStdString());
    QCOMPARE(parsed.has_value(), valid);
    if (valid) QVERIFY(*parsed == value);
  }

  void fractionsAreShownAsPeopleWriteThem() {
    QCOMPARE(formatFraction(8.0 / 255), std::string("8/255"));
    QCOMPARE(formatFraction(0.03), std::string("0.03"));
    QCOMPARE(formatFraction(0), std::string("0"));
    QCOMPARE(formatFraction(1), std::string("1"));
    for (int k = 0; k <= 255; ++k) QVERIFY(*parseFraction(formatFraction(k / 255.0)) == k / 255.0);
  }

  void numbersReadBackAsTheyWere() {
    QCOMPARE(formatNumber(0.1), std::string("0.1"));
    QCOMPARE(formatNumber(std::nan("")), std::string("nan"));
    QCOMPARE(formatNumber(-std::numeric_limits<double>::infinity()), std::string("-inf"));
    Random random(Seed(1));
    for (int i = 0; i < 1000; ++i) {
      const double value = std::exp(40 * random.normal());
      QVERIFY(std::stod(formatNumber(value)) == value);
    }
    QCOMPARE(formatFixed(0.12345, 3), std::string("0.123"));
    // No zero has a sign.
    QCOMPARE(formatNumber(-0.0), std::string("0"));
    QCOMPARE(formatFixed(-0.0, 3), std::string("0.000"));
    QCOMPARE(formatFixed(-0.0004, 3), std::string("0.000"));
    QCOMPARE(formatFixed(-0.4, 0), std::string("0"));
    QCOMPARE(formatFixed(-0.0005001, 3), std::string("-0.001"));
    QCOMPARE(formatFixed(-10.0, 0), std::string("-10"));
    QCOMPARE(formatFixed(1e300, 0).size(), std::size_t{301});
    QCOMPARE(formatFixed(std::numeric_limits<double>::infinity(), 2), std::string("inf"));
  }

  void durations() {
    QCOMPARE(formatDuration(0.42), std::string("0.4 s"));
    QCOMPARE(formatDuration(42), std::string("42 s"));
    QCOMPARE(formatDuration(59.7), std::string("1 min 0 s"));
    QCOMPARE(formatDuration(75.2), std::string("1 min 15 s"));
    QCOMPARE(formatDuration(4000), std::string("1 h 7 min"));
    QCOMPARE(formatDuration(-1), std::string("unknown"));
    QCOMPARE(formatDuration(std::nan("")), std::string("unknown"));
  }

  void nearNamesAreSuggested() {
    const std::vector<std::string> names = {"steps", "step_size", "eps", "restarts"};
    QCOMPARE(nearestName("stpes", names).value(), std::string("steps"));
    QCOMPARE(nearestName("EPS", names).value(), std::string("eps"));
    QVERIFY(!nearestName("momentum", names));
    QVERIFY(!nearestName("x", {}));
    QCOMPARE(suggestion("restart", names), std::string("did you mean 'restarts'?"));
    QVERIFY(suggestion("momentum", names).empty());
    QCOMPARE(join({"a", "b", "c"}, ", "), std::string("a, b, c"));
    QCOMPARE(join({}, ", "), std::string());
    QCOMPARE(lower("AbC-1"), std::string("abc-1"));
  }

  // Randomness -----------------------------------------------------------------------------

  void generatorGivesThePublishedNumbers() {
    // The first numbers of the authors' xoshiro256** from state 1, 2, 3, 4.
    Random random(Seed(0));
    random.setState({1, 2, 3, 4});
    for (const std::uint64_t expected :
         {11520ULL, 0ULL, 1509978240ULL, 1215971899390074240ULL, 1216172134540287360ULL}) {
      QCOMPARE(random(), expected);
    }
    // splitmix64 from 0 fills the state.
    QCOMPARE(Random(Seed(0)).state(),
             (std::array<std::uint64_t, 4>{0xe220a8397b1dcdafULL, 0x6e789e6aa1b965f4ULL,
                                           0x06c45d188009454fULL, 0xf88bb8a8724c81ecULL}));
  }

  void seedsMakeATree() {
    const Seed root(5);
    QCOMPARE(root.child("split").value(), Seed(5).child("split").value());
    std::set<std::uint64_t> seen = {root.value()};
    for (const char* name : {"split", "init", "attack/pgd", "attack/fgsm", ""}) {
      const Seed child = root.child(name);
      QVERIFY(seen.insert(child.value()).second);
      for (std::uint64_t i = 0; i < 2000; ++i) QVERIFY(seen.insert(child.child(i).value()).second);
    }
    QVERIFY(seen.insert(Seed(6).child("split").value()).second);
    QVERIFY(root.child("a").child("b").value() != root.child("b").child("a").value());
  }

  void drawsHaveTheRightDistribution() {
    Random random(Seed(9));
    constexpr int kDraws = 200000;
    double sum = 0, squares = 0, cubes = 0, uniformSum = 0;
    for (int i = 0; i < kDraws; ++i) {
      const double z = random.normal(), u = random.uniform();
      QVERIFY(u >= 0 && u < 1);
      sum += z;
      squares += z * z;
      cubes += z * z * z;
      uniformSum += u;
    }
    QVERIFY(std::abs(sum / kDraws) < 0.01);
    QVERIFY(std::abs(squares / kDraws - 1) < 0.015);
    QVERIFY(std::abs(cubes / kDraws) < 0.04);
    QVERIFY(std::abs(uniformSum / kDraws - 0.5) < 0.003);
    std::array<int, 7> counts{};
    for (int i = 0; i < 70000; ++i) ++counts[random.below(7)];
    for (const int count : counts) QVERIFY(std::abs(count - 10000) < 500);
    QCOMPARE(random.below(1), std::uint64_t{0});
  }

  void stateCanBeStoredAndShufflesRepeat() {
    Random random(Seed(4));
    random.normal();
    const auto state = random.state();
    std::vector<int> first(100), second(100);
    std::iota(first.begin(), first.end(), 0);
    second = first;
    random.shuffle(first);
    Random resumed(Seed(77));
    resumed.normal();  // leaves a spare value, which the new state must not inherit
    resumed.setState(state);
    resumed.shuffle(second);
    QCOMPARE(first, second);
    QCOMPARE(resumed.normal(), [&] {
      Random plain(Seed(0));
      plain.setState(random.state());
      return plain.normal();
    }());
    QVERIFY(!std::is_sorted(first.begin(), first.end()));
    std::sort(first.begin(), first.end());
    for (int i = 0; i < 100; ++i) QCOMPARE(first[static_cast<std::size_t>(i)], i);
  }

  // Hashes ---------------------------------------------------------------------------------

  void sha256GivesThePublishedDigests() {
    QCOMPARE(sha256(""),
             std::string("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
    QCOMPARE(sha256("abc"),
             std::string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    QCOMPARE(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
             std::string("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"));
    const std::string million(1000000, 'a');
    const std::string expected = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";
    QCOMPARE(sha256(million), expected);
    Sha256 pieces;
    for (std::size_t at = 0; at < million.size(); at += 777) {
      pieces.update(std::string_view(million).substr(at, 777));
    }
    QCOMPARE(pieces.finish(), expected);
    writeFileAtomically(root_ / "million", million);
    QCOMPARE(sha256File(root_ / "million"), expected);
    QVERIFY(contains(messageOf([&] { sha256File(root_ / "none"); }), "none"));
    QVERIFY(!messageOf([&] { sha256File(root_); }).empty());
  }

  // Files ----------------------------------------------------------------------------------

  void filesAreReadWhole() {
    const std::string content("a\0b\r\n\xff", 6);
    writeFileAtomically(root_ / "new" / "folder" / "file", content);
    QCOMPARE(readFile(root_ / "new" / "folder" / "file"), content);
    writeFileAtomically(root_ / "empty", "");
    QCOMPARE(readFile(root_ / "empty"), std::string());
    QVERIFY(contains(messageOf([&] { readFile(root_ / "none"); }), "cannot be read"));
    QVERIFY(contains(messageOf([&] { readFile(root_); }), "folder"));
  }

  void aFailedWriteLeavesTheOldFile() {
    const fs::path folder = root_ / "atomic";
    const fs::path file = folder / "file";
    writeFileAtomically(file, "old");
    QVERIFY(contains(messageOf([&] {
                       writeFileAtomically(file, [](std::ostream& out) {
                         out << "half";
                         throw Error::failed("broken off");
                       });
                     }),
                     "broken off"));
    QCOMPARE(readFile(file), std::string("old"));
    {
      const auto previous = std::signal(SIGXFSZ, SIG_IGN);
      rlimit before{};
      ::getrlimit(RLIMIT_FSIZE, &before);
      rlimit now = before;
      now.rlim_cur = 4096;
      ::setrlimit(RLIMIT_FSIZE, &now);
      const auto message = messageOf([&] { writeFileAtomically(file, std::string(100000, 'x')); });
      ::setrlimit(RLIMIT_FSIZE, &before);
      std::signal(SIGXFSZ, previous);
      QVERIFY2(contains(message, "disk is not full"), message.c_str());
    }
    QCOMPARE(readFile(file), std::string("old"));
    QCOMPARE(std::distance(fs::directory_iterator(folder), fs::directory_iterator{}),
             std::ptrdiff_t{1});
    QVERIFY(!messageOf([&] { writeFileAtomically(file / "below", "x"); }).empty());
    fs::create_directory(folder / "sub");
    writeFileAtomically(folder / "sub" / "x", "x");
    QVERIFY(!messageOf([&] { writeFileAtomically(folder / "sub", "x"); }).empty());
    QCOMPARE(readFile(folder / "sub" / "x"), std::string("x"));
  }

  void theDataFolderFollowsTheEnvironment() {
    const QByteArray before = qgetenv("XDG_DATA_HOME");
    qputenv("XDG_DATA_HOME", "/some/where");
    QCOMPARE(userDataFolder(), fs::path("/some/where/bulwark"));
    qunsetenv("XDG_DATA_HOME");
    QVERIFY(contains(userDataFolder().string(), ".local/share/bulwark"));
    if (!before.isNull()) qputenv("XDG_DATA_HOME", before);
  }

  // Tasks ----------------------------------------------------------------------------------

  void tasksReportProgress() {
    std::vector<ProgressUpdate> updates;
    std::vector<std::string> lines;
    Task task(
        nullptr, [&](const ProgressUpdate& update) { updates.push_back(update); },
        [&](LogLevel level, const std::string& text) {
          QVERIFY(level == LogLevel::Warning);
          lines.push_back(text);
        });
    task.begin("train", 100, "images");
    task.skip(40);
    QTest::qSleep(110);
    task.advance(20);
    QCOMPARE(updates.size(), std::size_t{2});
    const ProgressUpdate middle = updates.back();
    QCOMPARE(middle.done, std::int64_t{60});
    QVERIFY(middle.rate > 0 && middle.rate < 20 / 0.1);  // what was skipped does not count
    QVERIFY(std::abs(*middle.secondsLeft - 40 / middle.rate) < 1e-9);
    QTest::qSleep(110);
    task.underway(30.5);  // half way through 61 others
    QCOMPARE(updates.back().done, std::int64_t{90});
    QVERIFY(std::abs(*updates.back().secondsLeft - 9.5 / updates.back().rate) < 1e-9);
    QTest::qSleep(110);
    task.advance(31);  // most of them are finished: their shares are not counted twice
    QCOMPARE(updates.back().done, std::int64_t{91});
    for (int i = 0; i < 1000; ++i) task.advance(0);
    QVERIFY(updates.size() <= 6);  // at most ten a second
    task.end();
    QCOMPARE(updates.back().done, std::int64_t{100});
    QCOMPARE(updates.back().phase, std::string("train"));
    task.begin("wait", 0, "");
    QVERIFY(updates.back().phase == "wait" && !updates.back().secondsLeft);
    task.log(LogLevel::Warning, "careful");
    QCOMPARE(lines, std::vector<std::string>{"careful"});
    Task silent;
    silent.begin("x", 1, "");
    silent.advance();
    silent.log(LogLevel::Error, "nobody listens");
    silent.end();
  }

  void cancellingStopsTheWorkSoon() {
    Control control;
    std::atomic<bool> cancelled{false};
    std::atomic<int> rounds{0};
    std::thread worker([&] {
      Task task(&control);
      try {
        for (;;) {
          task.advance();
          ++rounds;
          std::this_thread::sleep_for(1ms);
        }
      } catch (const Error& error) {
        cancelled = error.kind() == Error::Kind::Cancelled;
      }
    });
    while (rounds < 3) std::this_thread::sleep_for(1ms);
    QElapsedTimer timer;
    timer.start();
    control.cancel();
    worker.join();
    QVERIFY(cancelled);
    QVERIFY(timer.elapsed() < 500);
    QVERIFY(!messageOf([&] { control.checkpoint(); }).empty());
  }

  void pausingHoldsTheWorkUntilResumedOrCancelled() {
    for (const bool cancel : {false, true}) {
      Control control;
      std::atomic<int> rounds{0};
      std::atomic<bool> ended{false};
      control.pause();
      std::thread worker([&] {
        try {
          for (int i = 0; i < 3; ++i) {
            control.checkpoint();
            ++rounds;
          }
        } catch (const Error&) {
        }
        ended = true;
      });
      std::this_thread::sleep_for(30ms);
      QVERIFY(control.paused() && !ended);
      QCOMPARE(rounds.load(), 0);
      cancel ? control.cancel() : control.resume();
      worker.join();
      QCOMPARE(rounds.load(), cancel ? 0 : 3);
    }
  }

 private:
  QTemporaryDir folder_;
  fs::path root_;
};

QTEST_GUILESS_MAIN(TestBase)
#include "tst_base.moc"
