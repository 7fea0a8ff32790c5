// The Data page: the catalogue, images by class, and folders of the user's own.
#include <QAbstractItemView>
#include <QApplication>
#include <QDir>
#include <QDropEvent>
#include <QImage>
#include <QLabel>
#include <QMimeData>
#include <QPushButton>
#include <QSettings>
#include <QSignalSpy>
#include <QSpinBox>
#include <QTemporaryDir>
#include <QTest>
#include <QThreadPool>

#include "core/data/catalogue.h"
#include "core/experiment/set_parts.h"
#include "ui/bridge/dialogs.h"
#include "ui/bridge/draft_checker.h"
#include "ui/bridge/experiment_draft.h"
#include "ui/pages/data_page.h"
#include "ui/widgets/class_grid.h"
#include "ui_support.h"

using namespace bulwark;

namespace {
constexpr int patience = 10000;
}

class TestDataPage : public QObject {
  Q_OBJECT

 private Q_SLOTS:
  void init() {
    folder_ = std::make_unique<QTemporaryDir>();
    qputenv("XDG_DATA_HOME", folder_->path().toLocal8Bit());
    catalogue_ = std::make_unique<DatasetCatalogue>(std::vector<std::filesystem::path>{
        folder_->filePath(QStringLiteral("sets")).toStdString()});
    writeNotMnist();
    draft_ = std::make_unique<ExperimentDraft>();
    checker_ = std::make_unique<DraftChecker>(draft_.get(), &registries_, catalogue_.get());
    AppContext context;
    context.draft = draft_.get();
    context.checker = checker_.get();
    context.registries = &registries_;
    context.catalogue = catalogue_.get();
    context.dialogs = &dialogs_;
    page_ = std::make_unique<DataPage>(context);
    page_->resize(1000, 640);
    page_->show();
    list_ = page_->findChild<QAbstractItemView*>(QStringLiteral("datasetList"));
    QTRY_VERIFY_WITH_TIMEOUT(list_->model()->rowCount() > 3, patience);
  }

  void cleanup() {
    page_.reset();
    checker_.reset();
    QThreadPool::globalInstance()->waitForDone();
  }

  void saysWhatToPutWhere() {
    QVERIFY(select(QStringLiteral("cifar10")));
    QCOMPARE(label("datasetBadge")->text(), QStringLiteral("not installed"));
    QVERIFY(!button("useAsIn")->isEnabled());
    QVERIFY(!button("useAsOut")->isEnabled());
    QVERIFY(!button("checkFiles")->isEnabled());
  }

  void showsTheImagesOfAGeneratedSetAndAddsIt() {
    QVERIFY(select(QStringLiteral("glyphs")));
    auto* grid = page_->findChild<ClassGrid*>(QStringLiteral("classGrid"));
    QTRY_VERIFY_WITH_TIMEOUT(grid->rowCount() > 1, patience);
    // The classes stand side by side as far as that shows more of them.
    QTRY_VERIFY(grid->columnCount() > 1);
    QTRY_VERIFY(grid->columnCount() * grid->height() >= grid->rowCount() * 48);
    QTest::mouseClick(button("useAsOut"), Qt::LeftButton);
    QCOMPARE(draft_->part("/data/out").dump(), std::string(R"([{"dataset":"glyphs"}])"));
    QTest::mouseClick(button("useAsOut"), Qt::LeftButton);
    QCOMPARE(draft_->part("/data/out").size(), std::size_t{1});
    QVERIFY(label("datasetMessage")->text().contains(QStringLiteral("already")));
    QVERIFY(page_->findChild<QLabel*>(QStringLiteral("outSet0")));
    QTest::mouseClick(page_->findChild<QAbstractButton*>(QStringLiteral("removeOut0")),
                      Qt::LeftButton);
    QVERIFY(draft_->part("/data/out").empty());
  }

  /// Outliers for training: one set, with a limit on its training images, removable.
  void anOpenSetIsChosenAndRemoved() {
    QVERIFY(select(QStringLiteral("cifar10")));
    QVERIFY(!button("useAsOpen")->isEnabled());
    QVERIFY(select(QStringLiteral("glyphs")));
    QTest::mouseClick(button("useAsOpen"), Qt::LeftButton);
    QCOMPARE(draft_->part("/data/open").dump(), std::string(R"({"dataset":"glyphs"})"));
    QVERIFY(select(QStringLiteral("noise-uniform")));
    QTest::mouseClick(button("useAsOpen"), Qt::LeftButton);
    QCOMPARE(label("openSet")->text(), QStringLiteral("noise-uniform"));
    QVERIFY(!page_->findChild<QSpinBox*>(QStringLiteral("openSet.test_limit")));
    page_->findChild<QSpinBox*>(QStringLiteral("openSet.train_limit"))->setValue(500);
    QCOMPARE(draft_->part("/data/open").dump(),
             std::string(R"({"dataset":"noise-uniform","train_limit":500})"));
    QTest::mouseClick(page_->findChild<QAbstractButton*>(QStringLiteral("removeOpen")),
                      Qt::LeftButton);
    QVERIFY(draft_->part("/data/open").is_null());
    QVERIFY(!page_->findChild<QLabel*>(QStringLiteral("openSet")));
  }

  /// What has test images only is trained with by naming them, and cannot be an in set.
  void aSetOfTestImagesNamesThemAsOpenSet() {
    QVERIFY(select(QStringLiteral("notmnist")));
    QVERIFY(button("useAsOut")->isEnabled());
    QVERIFY(!button("useAsIn")->isEnabled());
    QVERIFY(button("useAsIn")->toolTip().contains(QStringLiteral("training images")));
    QTest::mouseClick(button("useAsOpen"), Qt::LeftButton);
    QCOMPARE(draft_->part("/data/open").dump(),
             std::string(R"({"dataset":"notmnist","split":"test"})"));
    QVERIFY(label("datasetMessage")->text().contains(QStringLiteral("test images only")));
    QVERIFY(label("openSet")->text().contains(QStringLiteral("(test images)")));
    page_->findChild<QSpinBox*>(QStringLiteral("openSet.train_limit"))->setValue(500);
    QCOMPARE(draft_->part("/data/open/split").dump(), std::string("\"test\""));
    QTest::mouseClick(button("useAsOut"), Qt::LeftButton);
    QCOMPARE(draft_->part("/data/out").dump(), std::string(R"([{"dataset":"notmnist"}])"));
    // What a file or an older draft says is refused at the set.
    draft_->setIn({{"dataset", "glyphs"}});
    draft_->removeOut(0);
    draft_->addOut({{"dataset", "noise-uniform"}});
    draft_->setPart("/classifier/recipe", {{"type", "outlier_exposure"}});
    draft_->setPart("/data/open", {{"dataset", "notmnist"}});
    QTRY_VERIFY_WITH_TIMEOUT(label("openSet.error")->isVisible(), patience);
    QVERIFY(label("openSet.error")->text().contains(QStringLiteral("\"split\": \"test\"")));
    testing::grabBoth(*page_, QStringLiteral("data-open-refused"));
    QTest::mouseClick(button("useAsOpen"), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(!checker_->isPending() && checker_->last().valid, patience);
    QVERIFY(!label("openSet.error")->isVisible());
    testing::grabBoth(*page_, QStringLiteral("data-open"));
  }

  void aSetOfTrainingImagesNamesThemAsOutSet() {
    const QString root = folder_->filePath(QStringLiteral("Half"));
    QVERIFY(QDir().mkpath(root));
    QVERIFY(QFile::copy(notMnist(QStringLiteral("t10k-images-idx3-ubyte")),
                        root + QStringLiteral("/train-images-idx3-ubyte")));
    DatasetEntry entry;
    entry.own = true;
    entry.path = root;
    entry.info.name = "half";
    entry.info.format = "idx";
    QVERIFY(entry.has("train") && entry.has("test"));  // as long as nothing is known
    QVERIFY(!entry.request("test").contains("split"));
    entry.status.splits = partsOf(DatasetRequest::fromJson(entry.request(), ""), *catalogue_);
    QVERIFY(entry.has("train") && !entry.has("test"));
    QCOMPARE(entry.request("test").value("split", ""), std::string("train"));
    QVERIFY(!entry.request("train").contains("split"));
    entry.status.splits = {"all"};
    QVERIFY(!entry.request("train").contains("split"));
  }

  /// A set in two roles is said at once, and the row that is refused is marked.
  void aSetInTwoRolesIsMarked() {
    draft_->setIn({{"dataset", "glyphs"}});
    QVERIFY(select(QStringLiteral("noise-uniform")));
    QTest::mouseClick(button("useAsOut"), Qt::LeftButton);
    QCOMPARE(label("datasetMessage")->property("role").toString(), QStringLiteral("muted"));
    QTest::mouseClick(button("useAsOpen"), Qt::LeftButton);
    QCOMPARE(label("datasetMessage")->property("role").toString(), QStringLiteral("warning"));
    QVERIFY(label("datasetMessage")->text().contains(QStringLiteral("out set as well")));
    QTRY_VERIFY_WITH_TIMEOUT(label("outSet0.error")->isVisible(), patience);
    QVERIFY(label("outSet0.error")->text().contains(QStringLiteral("tested on")));
    QVERIFY(!label("inSet.error")->isVisible());
    QVERIFY(!label("openSet.error")->isVisible());
    QVERIFY(!checker_->last().valid);
    testing::grabBoth(*page_, QStringLiteral("data-two-roles"));
    QTest::mouseClick(page_->findChild<QAbstractButton*>(QStringLiteral("removeOut0")),
                      Qt::LeftButton);
    QVERIFY(select(QStringLiteral("glyphs")));
    QTest::mouseClick(button("useAsOpen"), Qt::LeftButton);
    QVERIFY(label("datasetMessage")->text().contains(QStringLiteral("the in set as well")));
    QTRY_VERIFY_WITH_TIMEOUT(label("openSet.error")->isVisible(), patience);
    QVERIFY(select(QStringLiteral("noise-uniform")));
    QTest::mouseClick(button("useAsOpen"), Qt::LeftButton);
    QCOMPARE(label("datasetMessage")->property("role").toString(), QStringLiteral("muted"));
    QTRY_VERIFY_WITH_TIMEOUT(!label("openSet.error")->isVisible(), patience);
  }

  void aDroppedFolderBecomesASet() {
    const QString images = writeImages();
    QMimeData mime;
    mime.setUrls({QUrl::fromLocalFile(images)});
    QDragEnterEvent enter(QPoint(10, 10), Qt::CopyAction, &mime, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(page_.get(), &enter);
    QVERIFY(enter.isAccepted());
    QSignalSpy added(page_.get(), &DataPage::setAdded);
    QDropEvent drop(QPointF(10, 10), Qt::CopyAction, &mime, Qt::LeftButton, Qt::NoModifier);
    QApplication::sendEvent(page_.get(), &drop);
    QVERIFY(added.wait(patience));
    QCOMPARE(added.first().first().toString(), QStringLiteral("my-leaves"));
    QCOMPARE(label("datasetTitle")->text(), QStringLiteral("my-leaves"));
    auto* grid = page_->findChild<ClassGrid*>(QStringLiteral("classGrid"));
    QTRY_COMPARE_WITH_TIMEOUT(grid->rowCount(), 2, patience);
    const QFileInfo link(QDir(DataPage::ownFolder()).filePath(QStringLiteral("my-leaves")));
    QVERIFY(link.isSymLink());
    QCOMPARE(link.canonicalFilePath(), QFileInfo(images).canonicalFilePath());
    QTest::mouseClick(button("useAsIn"), Qt::LeftButton);
    const auto request = DatasetRequest::fromJson(draft_->part("/data/in"), "data.in");
    QCOMPARE(request.format, std::string("folder"));
    QCOMPARE(request.displayName(), std::string("my-leaves"));
    // A second time adds nothing.
    page_->addOwnSet(images);
    QVERIFY(added.wait(patience));
    QCOMPARE(QDir(DataPage::ownFolder()).entryList(QDir::AllEntries | QDir::NoDotAndDotDot).size(),
             1);
  }

  void theButtonAsksForAFolder() {
    dialogs_.paths << writeImages();
    QSignalSpy added(page_.get(), &DataPage::setAdded);
    QTest::mouseClick(button("addFolder"), Qt::LeftButton);
    QVERIFY(added.wait(patience));
  }

  void whatCannotBeReadIsRefused_data() {
    QTest::addColumn<QString>("kind");
    QTest::newRow("an empty folder") << "empty";
    QTest::newRow("a text file among the images") << "text";
    QTest::newRow("nothing there") << "absent";
  }
  void whatCannotBeReadIsRefused() {
    QFETCH(QString, kind);
    QString path = folder_->filePath(QStringLiteral("bad"));
    if (kind == QLatin1String("empty")) QVERIFY(QDir().mkpath(path));
    if (kind == QLatin1String("text")) {
      path = writeImages();
      QFile notes(path + QStringLiteral("/oak/notes.png"));
      QVERIFY(notes.open(QIODevice::WriteOnly));
      notes.write("not an image");
    }
    page_->addOwnSet(path);
    QTRY_COMPARE_WITH_TIMEOUT(label("datasetMessage")->property("role").toString(),
                              QStringLiteral("error"), patience);
    QVERIFY(!label("datasetMessage")->text().isEmpty());
    QVERIFY(QDir(DataPage::ownFolder()).isEmpty());
  }

 private:
  QString notMnist(const QString& file) const {
    return folder_->filePath(QStringLiteral("sets/notmnist/") + file);
  }

  /// As it is published for our purposes: test images, no training images.
  void writeNotMnist() {
    if (!QDir(folder_->path()).mkpath(QStringLiteral("sets/notmnist"))) qFatal("no folder");
    QByteArray images = QByteArray::fromHex("00000803000000140000001c0000001c");
    QByteArray labels = QByteArray::fromHex("0000080100000014");
    for (int i = 0; i < 20; ++i) {
      for (int pixel = 0; pixel < 784; ++pixel) images.append(static_cast<char>(pixel * (i + 1)));
      labels.append(static_cast<char>(i % 10));
    }
    for (const auto& [name, bytes] : {std::pair{"t10k-images-idx3-ubyte", images},
                                      std::pair{"t10k-labels-idx1-ubyte", labels}}) {
      QFile file(notMnist(QLatin1String(name)));
      if (!file.open(QIODevice::WriteOnly) || file.write(bytes) < 0) qFatal("no file");
    }
  }

  QString writeImages() {
    const QString root = folder_->filePath(QStringLiteral("My Leaves"));
    for (const QString& name : {QStringLiteral("oak"), QStringLiteral("maple")}) {
      if (!QDir().mkpath(root + u'/' + name)) qFatal("no folder");
      for (int i = 0; i < 4; ++i) {
        QImage image(12, 12, QImage::Format_RGB888);
        image.fill(QColor(20 * i, name == QLatin1String("oak") ? 200 : 80, 40));
        if (!image.save(QStringLiteral("%1/%2/%3.png").arg(root, name).arg(i))) qFatal("no image");
      }
    }
    return root;
  }

  bool select(const QString& name) {
    for (int row = 0; row < list_->model()->rowCount(); ++row) {
      const auto index = list_->model()->index(row, 0);
      if (!index.data(DatasetModel::SubtitleRole).toString().startsWith(name + u' ')) continue;
      list_->setCurrentIndex(index);
      return true;
    }
    return false;
  }

  QLabel* label(const char* name) { return page_->findChild<QLabel*>(QString::fromLatin1(name)); }
  QPushButton* button(const char* name) {
    return page_->findChild<QPushButton*>(QString::fromLatin1(name));
  }

  Registries registries_ = builtinRegistries();
  ScriptedDialogs dialogs_;
  std::unique_ptr<QTemporaryDir> folder_;
  std::unique_ptr<DatasetCatalogue> catalogue_;
  std::unique_ptr<ExperimentDraft> draft_;
  std::unique_ptr<DraftChecker> checker_;
  std::unique_ptr<DataPage> page_;
  QAbstractItemView* list_ = nullptr;
};

QTEST_MAIN(TestDataPage)
#include "tst_data_page.moc"
