#pragma once

#include <QByteArray>
#include <QTimer>
#include <QWidget>

#include "ui/bridge/app_context.h"
#include "ui/bridge/report_adapter.h"

class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QListView;
class QPlainTextEdit;
class QPushButton;
class QScrollArea;
class QSortFilterProxyModel;
class QSpinBox;
class QStackedWidget;
class QStandardItemModel;
class QTextBrowser;

namespace bulwark {

/// The settings that the page offers, in the order of its check boxes.
inline constexpr const char* settingNames[] = {"clean", "in", "out", "in_out"};

class BackgroundTask;
class ElidedLabel;
class EmptyState;

/// Tables, curves, scores and whole reports of chosen runs: previewed, copied, exported.
class ReportPage : public QWidget {
  Q_OBJECT

 public:
  explicit ReportPage(const AppContext& context, QWidget* parent = nullptr);

  /// What the controls ask for.
  ReportRequest request() const;
  /// The content as the writers made it.
  const std::string& content() const { return content_; }

 Q_SIGNALS:
  /// The preview shows what the controls say (or why it cannot).
  void previewed();
  void exported(const QString& path);

 private:
  QWidget* buildControls();
  QWidget* buildPreview();
  void reloadRuns();
  void showRuns(const std::vector<RunRecord>& runs);
  void whatChanged();
  void updatePreview();
  void showContent(std::string content);
  void showProblem(const QString& text);
  void render();
  void exportFile();
  void copyText();
  void copyCommand();
  QString suggestedName() const;

  AppContext context_;
  QStackedWidget* stack_;
  EmptyState* empty_;
  QLineEdit* runFilter_;
  QListView* runList_;
  QStandardItemModel* runs_;
  QSortFilterProxyModel* runProxy_;
  QComboBox* what_;
  QComboBox* format_;
  QWidget* tableOptions_;
  QComboBox* metric_;
  QComboBox* layout_;
  QSpinBox* decimals_;
  QCheckBox* intervals_;
  QCheckBox* published_;
  QCheckBox* settings_[4];
  QStackedWidget* preview_;
  QPlainTextEdit* source_;
  QTextBrowser* rendered_;
  QLabel* picture_;
  QScrollArea* pictureArea_;
  QLabel* message_;
  QCheckBox* asPage_;
  ElidedLabel* status_;
  QPushButton* export_;
  QPushButton* copy_;
  BackgroundTask* writer_;
  BackgroundTask* saver_;
  QTimer refreshLater_;
  QTimer reloadLater_;
  std::string content_;
  std::string contentFormat_;
  quint64 listRequest_ = 0;
  quint64 previewRequest_ = 0;
};

}  // namespace bulwark
