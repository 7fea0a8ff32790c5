#include <QAbstractItemModelTester>
#include <QCheckBox>
#include <QComboBox>
#include <QLabel>
#include <QListView>
#include <QSignalSpy>
#include <QSlider>
#include <QtTest/QtTest>

#include "core/base/sha256.h"
#include "core/experiment/class_map_file.h"
#include "ui/models/image_pair_model.h"
#include "ui/models/picture_model.h"
#include "ui/models/pixels.h"
#include "ui/pages/images_page.h"
#include "ui/pages/picture_panel.h"
#include "ui/plots/line_plot.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/image_view.h"
#include "ui/widgets/panel.h"
#include "ui_support.h"

using namespace bulwark;
using namespace bulwark::testing;

namespace {

void open(Workbench& bench, ImagesPage& page) {
  page.resize(1180, 640);
  page.show();
  QSignalSpy shown(&page, &ImagesPage::shown);
  bench.focus.setRun(bench.ids[0]);
  QVERIFY(shown.wait(5000));
}

QString caption(ImagesPage& page, const char* name) {
  return page.findChild<ElidedLabel*>(QLatin1String(name))->fullText();
}

constexpr int kSide = 6;

/// Every fifth image of the in set and every tenth of an out set.
ClassMap keptImages() {
  ClassMap map;
  map.detector = "svdd";
  map.classNames = {"0", "1", "2"};
  map.sets = {{"in", "fashion-mnist"}, {"out", "glyphs"}};
  map.parts = {{"layer", "conv1"}};
  map.channels = 1;
  map.height = map.width = kSide;
  for (std::size_t set = 0; set < 2; ++set) {
    for (int i = 0; i < 20; ++i) {
      map.samples.push_back({set, (set == 0 ? 5 : 10) * i, i % 3, set == 0 ? 1 : -1, 0.25 * i});
      map.normality.push_back(0.5);
      for (int pixel = 0; pixel < kSide * kSide; ++pixel) {
        map.pixels.push_back(std::uint8_t((int(set) * 90 + i * 7 + pixel * 5) % 256));
      }
    }
  }
  return map;
}

/// A run that was not attacked; it has a detector that keeps clean images, if `map` says so.
std::int64_t addCleanRun(RunStore& store, const ClassMap* map) {
  const auto from = addSampleRun(store, "attacked", 3);
  Json specification = store.run(from).specification;
  specification["attacks"] = Json::array();
  if (map) specification["detectors"].push_back({{"type", "svdd"}, {"map_images", 20}});
  const auto run = store.createRun("clean", specification, 3, "cpu");
  store.setRunState(run, RunState::Running);
  store.putDatasets(run, store.datasets(from));
  for (const auto& dataset : store.datasets(from)) {
    if (dataset.role != "in" && dataset.role != "out") continue;
    for (const char* detector : {"msp", "knn"}) {
      const auto scores = store.scores(from, detector, "", dataset.name, dataset.role == "out");
      if (scores) store.putScores(run, *scores, {});
    }
  }
  if (map && !map->samples.empty()) {
    const auto path = store.artefactFolder(run) / "class-map-0.safetensors";
    map->save(path);
    store.putArtefact(run, {ClassMap::kind, "class-map-0.safetensors", sha256File(path), 1});
  }
  store.setRunState(run, RunState::Done);
  return run;
}

QString emptyText(QWidget& page) {
  QString text;
  for (auto* empty : page.findChildren<EmptyState*>()) {
    if (!empty->isVisible()) continue;
    for (const QLabel* label : empty->findChildren<QLabel*>()) text += label->text() + u' ';
  }
  return text;
}

}  // namespace

class TestImagesPage : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void scoresSideBySideHaveEqualDecimals() {
    QLocale::setDefault(QLocale::c());
    QCOMPARE(scoreText(-6.28, -5.3, 3), QStringLiteral("-6.28"));
    QCOMPARE(scoreText(-5.3, -6.28, 3), QStringLiteral("-5.30"));
    QCOMPARE(scoreText(0.5, 123.456, 4), QStringLiteral("0.5"));
    QCOMPARE(scoreText(123.456, 0.5, 4), QStringLiteral("123.5"));
    QCOMPARE(scoreText(0.0, 0.0, 3), QStringLiteral("0.00"));
    QCOMPARE(scoreText(2.5e-7, 1e-7, 2), QStringLiteral("2.5e-07"));
  }

  void zeroHasNoMinus() {
    QCOMPARE(scoreText(-0.0, 0.0, 3), scoreText(0.0, 0.0, 3));
    const QString tiny = scoreText(-0.0004, 12.5, 3);
    QCOMPARE(tiny, QLocale().toString(0.0, 'f', 1));
    QCOMPARE(scoreText(-0.5, 12.5, 3), QLocale().toString(-0.5, 'f', 1));
  }

  void pixelsBecomeImages() {
    const std::vector<float> grey = {0.0F, 0.5F, 1.0F, 2.0F};
    const QImage image = toImage(grey, 1, 2, 2);
    QCOMPARE(qGray(image.pixel(0, 0)), 0);
    QCOMPARE(qGray(image.pixel(1, 0)), 128);
    QCOMPARE(qGray(image.pixel(1, 1)), 255);
    const std::vector<float> colour = {1, 0, 0};
    QCOMPARE(toImage(colour, 3, 1, 1).pixelColor(0, 0), QColor(Qt::red));
    QVERIFY(toImage(grey, 3, 2, 2).isNull());
    const std::vector<float> after = {0.0F, 0.6F, 0.9F, 2.0F};
    const QImage change = differenceImage(grey, after, 5, 1, 2, 2);
    QCOMPARE(qGray(change.pixel(0, 0)), 128);
    QCOMPARE(qGray(change.pixel(1, 0)), 255);
    QCOMPARE(qGray(change.pixel(0, 1)), 0);
    const ChangeNorms norms = changeNorms(grey, after);
    QVERIFY(std::abs(norms.linf - 0.1) < 1e-6);
    QVERIFY(std::abs(norms.l2 - std::sqrt(0.02)) < 1e-6);
    QCOMPARE(norms.changed, 2);
  }

  void saysWhatBelongsHereWithoutARun() {
    Workbench bench(0);
    ImagesPage page(bench.context);
    page.resize(1180, 640);
    page.show();
    QVERIFY(page.findChild<EmptyState*>()->isVisible());
  }

  void showsThePairAsStored() {
    Workbench bench;
    ImagesPage page(bench.context);
    open(bench, page);
    const ImagePair pair = bench.store().imagePair(page.shownPair());
    QCOMPARE(pair.detector, std::string("msp"));
    QCOMPARE(page.findChild<ImageView*>(QStringLiteral("imageBefore"))->image(),
             toImage(pair.before, 1, 28, 28));
    QCOMPARE(page.findChild<ImageView*>(QStringLiteral("imageAfter"))->image(),
             toImage(pair.after, 1, 28, 28));
    QVERIFY(
        caption(page, "imageBeforeCaption").contains(QLocale().toString(pair.scoreBefore, 'g', 4)));
    QVERIFY(
        caption(page, "imageAfterCaption").contains(QLocale().toString(pair.scoreAfter, 'g', 4)));
    QVERIFY(caption(page, "imageDifferenceCaption").contains(QLatin1String("8.0/255")));
    QTest::qWait(100);
    grabBoth(page, QStringLiteral("images"));
    page.resize(916, 560);
    grab(page, QStringLiteral("images-narrow"));
  }

  void theSliderWalksAlongTheAttack() {
    Workbench bench;
    ImagesPage page(bench.context);
    open(bench, page);
    const ImagePair pair = bench.store().imagePair(page.shownPair());
    auto* slider = page.findChild<QSlider*>(QStringLiteral("imagesStep"));
    QCOMPARE(slider->maximum(), int(pair.stepNumbers.size()) + 1);
    auto* after = page.findChild<ImageView*>(QStringLiteral("imageAfter"));
    for (int i = 0; i < int(pair.stepNumbers.size()); ++i) {
      slider->setValue(i + 1);
      const auto begin = pair.steps.begin() + i * 784;
      QCOMPARE(after->image(), toImage(std::vector<float>(begin, begin + 784), 1, 28, 28));
      QVERIFY(caption(page, "imageAfterCaption")
                  .contains(QLocale().toString(pair.stepScores[std::size_t(i)], 'g', 4)));
      QVERIFY(page.findChild<QLabel*>(QStringLiteral("imagesStepText"))
                  ->text()
                  .contains(QString::number(pair.stepNumbers[std::size_t(i)])));
    }
    slider->setFocus();
    QTest::keyClick(slider, Qt::Key_Home);
    QCOMPARE(after->image(), toImage(pair.before, 1, 28, 28));
    QVERIFY(caption(page, "imageDifferenceCaption").contains(QLatin1String("0.0/255")));
    const PlotTable trace = page.findChild<LinePlot*>(QStringLiteral("imagesTrace"))->table();
    QCOMPARE(trace.columns[1].size(), qsizetype(pair.stepScores.size() + 1));
    QCOMPARE(trace.columns[1].last(), pair.stepScores.back());
  }

  void spaceBlinks() {
    Workbench bench;
    ImagesPage page(bench.context);
    open(bench, page);
    auto* before = page.findChild<ImageView*>(QStringLiteral("imageBefore"));
    auto* after = page.findChild<ImageView*>(QStringLiteral("imageAfter"));
    QVERIFY(after->image() != before->image());
    auto* list = page.findChild<QListView*>(QStringLiteral("imagesList"));
    list->setFocus();
    QTest::keyClick(list, Qt::Key_Space);
    QVERIFY(page.blinking());
    QCOMPARE(after->image(), before->image());
    QTest::keyClick(after, Qt::Key_Space);
    QVERIFY(!page.blinking());
    QVERIFY(after->image() != before->image());
  }

  void theThreeViewsZoomTogether() {
    Workbench bench;
    ImagesPage page(bench.context);
    open(bench, page);
    auto* before = page.findChild<ImageView*>(QStringLiteral("imageBefore"));
    auto* change = page.findChild<ImageView*>(QStringLiteral("imageDifference"));
    const QPointF at(before->width() / 3.0, before->height() / 3.0);
    QWheelEvent wheel(at, before->mapToGlobal(at), {}, {0, 240}, Qt::NoButton, Qt::NoModifier,
                      Qt::NoScrollPhase, false);
    QApplication::sendEvent(before, &wheel);
    QVERIFY(before->zoom() > 1.5);
    QCOMPARE(change->zoom(), before->zoom());
    QCOMPARE(change->centre(), before->centre());
    QTest::mouseDClick(change, Qt::LeftButton);
    QCOMPARE(before->zoom(), 1.0);
  }

  void filtersByDetectorSetAndSelection() {
    Workbench bench;
    ImagesPage page(bench.context);
    open(bench, page);
    auto* list = page.findChild<QListView*>(QStringLiteral("imagesList"));
    QAbstractItemModelTester tester(list->model());
    QCOMPARE(list->model()->rowCount(), 36);  // 12 of one in and two out sets
    QSignalSpy shown(&page, &ImagesPage::shown);
    auto* detector = page.findChild<QComboBox*>(QStringLiteral("imagesDetector"));
    detector->setCurrentIndex(detector->findData(QStringLiteral("knn")));
    QVERIFY(shown.wait(5000));
    QCOMPARE(bench.store().imagePair(page.shownPair()).detector, std::string("knn"));
    auto* dataset = page.findChild<QComboBox*>(QStringLiteral("imagesDataset"));
    dataset->setCurrentIndex(dataset->findData(QStringLiteral("glyphs")));
    QCOMPARE(list->model()->rowCount(), 12);
    SampleSet samples;
    samples.insert({QStringLiteral("glyphs"), true}, 16);
    samples.insert({QStringLiteral("glyphs"), true}, 17);  // has no pair
    bench.selection.commit(samples, QStringLiteral("test"));
    page.findChild<QCheckBox*>(QStringLiteral("imagesOnlySelected"))->setChecked(true);
    QCOMPARE(list->model()->rowCount(), 1);
    bench.selection.clear();
    QCOMPARE(list->model()->rowCount(), 0);
    // Nothing is shown rather than a pair that is not in the list.
    QCOMPARE(page.shownPair(), 0);
    QVERIFY(page.findChild<ImageView*>(QStringLiteral("imageAfter"))->image().isNull());
    page.findChild<QCheckBox*>(QStringLiteral("imagesOnlySelected"))->setChecked(false);
    QTRY_VERIFY_WITH_TIMEOUT(page.shownPair() != 0, 5000);
  }

  void aSelectedSampleWithoutAPairIsSaid() {
    Workbench bench;
    ImagesPage page(bench.context);
    open(bench, page);
    auto* note = page.findChild<ElidedLabel*>(QStringLiteral("imagesMissing"));
    QVERIFY(!note->isVisible());
    const auto pick = [&](qint64 sample) {
      SampleSet one;
      one.insert({QStringLiteral("glyphs"), true}, sample);
      bench.selection.commit(one, QStringLiteral("a point"));
    };
    pick(17);
    QVERIFY(note->isVisible());
    QStringList kept;
    std::set<std::int64_t> samples;
    for (const ImagePair& pair : bench.store().imagePairs(bench.ids[0], true)) {
      if (pair.dataset == "glyphs" && pair.detector == "msp") samples.insert(pair.sample);
    }
    QCOMPARE(samples.size(), std::size_t(12));
    for (const std::int64_t sample : samples) kept += QString::number(sample);
    QCOMPARE(
        note->fullText(),
        QStringLiteral("Sample 17 of glyphs (out), which is selected, was not kept; kept are ") +
            kept.join(QStringLiteral(", ")));
    grabBoth(page, QStringLiteral("images-missing"));
    pick(*samples.rbegin());
    QVERIFY(!note->isVisible());
    pick(17);
    bench.selection.clear();
    QVERIFY(!note->isVisible());
  }

  void severalSelectedSamplesAreCounted() {
    Workbench bench;
    ImagesPage page(bench.context);
    open(bench, page);
    std::set<std::int64_t> kept;
    for (const ImagePair& pair : bench.store().imagePairs(bench.ids[0], true)) {
      if (pair.dataset == "glyphs" && pair.detector == "msp") kept.insert(pair.sample);
    }
    SampleSet samples;
    for (const auto sample : kept) samples.insert({QStringLiteral("glyphs"), true}, sample);
    bench.selection.commit(samples, QStringLiteral("kept"));
    auto* note = page.findChild<ElidedLabel*>(QStringLiteral("imagesMissing"));
    QVERIFY(!note->isVisible());
    for (int i = 0; i < 3; ++i) {
      samples.insert({QStringLiteral("glyphs"), true}, *kept.rbegin() + 1 + i);
    }
    bench.selection.commit(samples, QStringLiteral("three more"));
    QVERIFY2(note->fullText().startsWith(
                 QLatin1String("3 of the 15 selected samples were not kept; image_pairs")),
             qPrintable(note->fullText()));
  }

  void opensOnTheFocusedDetector() {
    Workbench bench;
    bench.focus.setDetector(QStringLiteral("knn"));
    ImagesPage page(bench.context);
    open(bench, page);
    QCOMPARE(bench.store().imagePair(page.shownPair()).detector, std::string("knn"));
    auto* detector = page.findChild<QComboBox*>(QStringLiteral("imagesDetector"));
    QSignalSpy shown(&page, &ImagesPage::shown);
    bench.focus.setDetector(QStringLiteral("msp"));
    QVERIFY(shown.wait(5000));
    QCOMPARE(detector->currentText(), QStringLiteral("msp"));
    bench.focus.setDetector(QStringLiteral("without pairs"));
    QCOMPARE(detector->currentText(), QStringLiteral("msp"));
    // What a user chooses here holds for the other pages.
    detector->setFocus();
    QTest::keyClick(detector, Qt::Key_K);
    QCOMPARE(bench.focus.detector(), QStringLiteral("knn"));
  }

  void aCleanRunShowsTheSelectedImagesThatItKept() {
    Workbench bench(0);
    RunStore store = bench.store();
    const ClassMap map = keptImages();
    const auto run = addCleanRun(store, &map);
    ImagesPage page(bench.context);
    page.resize(1180, 640);
    page.show();
    auto* panel = page.findChild<PicturePanel*>();
    QSignalSpy loaded(panel, &PicturePanel::loaded);
    bench.focus.setDetector(QStringLiteral("knn"));
    bench.focus.setRun(run);
    QVERIFY(loaded.wait(5000));
    QTRY_COMPARE_WITH_TIMEOUT(page.part(), ImagesPage::Pictures, 5000);
    QVERIFY(panel->isVisible());
    PictureModel* model = panel->model();
    QAbstractItemModelTester tester(model);
    QCOMPARE(model->rowCount(), 40);  // nothing is selected: all
    QVERIFY(panel->missing().isEmpty());
    // Two that were kept and two that were not.
    const SampleSide in{QStringLiteral("fashion-mnist"), false},
        out{QStringLiteral("glyphs"), true};
    SampleSet samples;
    samples.insert(in, 15);
    samples.insert(in, 16);
    samples.insert(out, 30);
    samples.insert(out, 35);
    bench.selection.commit(samples, QStringLiteral("test"));
    QCOMPARE(model->rowCount(), 2);
    QCOMPARE(model->find(in, 15), 0);
    QCOMPARE(model->find(out, 30), 1);
    QCOMPARE(model->find(out, 35), -1);
    auto* note = page.findChild<QLabel*>(QStringLiteral("picturesMissing"));
    QVERIFY(note->isVisible());
    QVERIFY2(note->text().startsWith(QLatin1String(
                 "2 of the 4 selected images were not kept (fashion-mnist (in) 16; glyphs (out) "
                 "35).")),
             qPrintable(note->text()));
    QVERIFY(note->text().contains(QLatin1String("20 images")));  // as this run was asked
    QVERIFY(note->text().contains(QLatin1String("map_images")));
    QCOMPARE(page.findChild<QLabel*>(QStringLiteral("picturesCount"))->text(),
             QStringLiteral("2 of 4 selected"));
    // The image itself, and the score of the focused detector rather than that of the map's.
    auto* list = page.findChild<QListView*>(QStringLiteral("picturesList"));
    list->setCurrentIndex(model->index(1));
    std::vector<float> pixels;
    for (const auto byte : map.picture(23)) pixels.push_back(float(byte) / 255.0F);
    QCOMPARE(page.findChild<ImageView*>(QStringLiteral("pictureView"))->image(),
             toImage(pixels, 1, kSide, kSide));
    QCOMPARE(page.findChild<QLabel*>(QStringLiteral("pictureName"))->text(),
             QStringLiteral("glyphs (out), image 30"));
    const double score = store.scores(run, "knn", "", "glyphs", true)->scores[30];
    const auto details = [&] {
      return page.findChild<QLabel*>(QStringLiteral("pictureDetails"))->text();
    };
    QVERIFY2(details().contains(QLocale().toString(score, 'g', 4) + QStringLiteral(" (knn)")),
             qPrintable(details()));
    QCOMPARE(model->index(1).data(Qt::DecorationRole).value<QPixmap>().width(),
             int(PictureModel::side));
    grabBoth(page, QStringLiteral("images-clean"));
    // A detector without scores here: that of the one that kept them.
    bench.focus.setDetector(QStringLiteral("unknown"));
    QTRY_VERIFY_WITH_TIMEOUT(details().contains(QLatin1String("0.75 (svdd)")), 5000);
    // All of one set although some are selected.
    page.findChild<QCheckBox*>(QStringLiteral("picturesOnlySelected"))->setChecked(false);
    QCOMPARE(model->rowCount(), 40);
    auto* set = page.findChild<QComboBox*>(QStringLiteral("picturesSet"));
    set->setCurrentIndex(2);
    QCOMPARE(model->rowCount(), 20);
    QCOMPARE(model->find(in, 15), -1);
    // None of those selected.
    set->setCurrentIndex(0);
    page.findChild<QCheckBox*>(QStringLiteral("picturesOnlySelected"))->setChecked(true);
    SampleSet lost;
    lost.insert(out, 7);
    bench.selection.commit(lost, QStringLiteral("lost"));
    QCOMPARE(model->rowCount(), 0);
    QVERIFY(page.findChild<QLabel*>(QStringLiteral("picturesNone"))->isVisible());
    QVERIFY(
        note->text().startsWith(QLatin1String("The selected image was not kept (glyphs (out) 7)")));
    QVERIFY(page.findChild<ImageView*>(QStringLiteral("pictureView"))->image().isNull());
  }

  void cleanRunsWithoutImagesSayHowToKeepThem() {
    Workbench bench(0);
    RunStore store = bench.store();
    const ClassMap none;
    const auto asked = addCleanRun(store, &none), plain = addCleanRun(store, nullptr);
    ImagesPage page(bench.context);
    page.resize(1180, 640);
    page.show();
    bench.focus.setRun(plain);
    QTRY_VERIFY_WITH_TIMEOUT(emptyText(page).contains(QLatin1String("image_pairs")), 5000);
    QVERIFY(emptyText(page).contains(QLatin1String("map_images")));
    bench.focus.setRun(asked);
    QTRY_VERIFY_WITH_TIMEOUT(emptyText(page).contains(QLatin1String("kept no clean images")), 5000);
    QVERIFY(emptyText(page).contains(QLatin1String("map_images")));
  }

  void theLastStepIsNamedAfterWhatTheAttackKeeps() {
    for (const char* keep : {"best", "last"}) {
      Workbench bench(0);
      RunStore store = bench.store();
      const auto from = addSampleRun(store, "a run", 3);
      RunRecord record = store.run(from);
      for (Json& attack : record.specification["attacks"]) attack["keep"] = keep;
      const auto run = store.createRun("another", record.specification, 3, "cpu");
      store.setRunState(run, RunState::Running);
      const ImagePair pair = store.imagePair(store.imagePairs(from, true).front().id);
      const auto scores = store.scores(from, pair.detector, pair.attack, pair.dataset, pair.out);
      QVERIFY(scores.has_value());
      store.putScores(run, *scores, {pair});
      store.setRunState(run, RunState::Done);
      bench.ids = {run};
      ImagesPage page(bench.context);
      open(bench, page);
      QCOMPARE(page.findChild<QLabel*>(QStringLiteral("imagesStepText"))->text(),
               QLatin1String(keep) + QStringLiteral(" point"));
    }
  }

  void severalThumbnailsBecomeTheSelection() {
    Workbench bench;
    ImagesPage page(bench.context);
    open(bench, page);
    auto* list = page.findChild<QListView*>(QStringLiteral("imagesList"));
    const auto click = [&](int row, Qt::KeyboardModifiers modifiers) {
      QTest::mouseClick(list->viewport(), Qt::LeftButton, modifiers,
                        list->visualRect(list->model()->index(row, 0)).center());
    };
    click(0, {});
    QVERIFY(bench.selection.current().empty());
    click(2, Qt::ShiftModifier);
    QCOMPARE(bench.selection.current().size(), 3);
    QVERIFY(list->model()->index(1, 0).data(ImagePairModel::SelectedRole).toBool());
  }

  void thumbnailsArriveByThemselves() {
    Workbench bench;
    ImagesPage page(bench.context);
    open(bench, page);
    auto* list = page.findChild<QListView*>(QStringLiteral("imagesList"));
    const QModelIndex first = list->model()->index(0, 0);
    QTRY_VERIFY(!first.data(ImagePairModel::AfterRole).value<QImage>().isNull());
  }

  void aLateAnswerIsDropped() {
    Workbench bench(2);
    ImagesPage page(bench.context);
    open(bench, page);
    QSignalSpy shown(&page, &ImagesPage::shown);
    // Two requests in one go: only the answer to the second may be shown.
    bench.focus.setRun(bench.ids[1]);
    bench.focus.setRun(bench.ids[0]);
    bench.focus.setRun(bench.ids[1]);
    QVERIFY(shown.wait(5000));
    QTest::qWait(100);
    QCOMPARE(shown.count(), 1);
    const auto pairs = bench.store().imagePairs(bench.ids[1], true);
    QVERIFY(std::any_of(pairs.begin(), pairs.end(),
                        [&](const ImagePair& pair) { return pair.id == page.shownPair(); }));
  }
};

QTEST_MAIN(TestImagesPage)
#include "tst_images_page.moc"
