#pragma once

#include <QDockWidget>

#include "core/store/records.h"
#include "ui/bridge/app_context.h"

class QGridLayout;
class QLabel;
class QPlainTextEdit;
class QStackedWidget;

namespace bulwark {

/// The focused run at a glance: what it is, how it was set up, what came out, and a note.
class Inspector : public QDockWidget {
  Q_OBJECT

 public:
  explicit Inspector(const AppContext& context, QWidget* parent = nullptr);
  ~Inspector() override;

 private:
  struct Content {
    RunRecord run;
    std::vector<ResultRow> results;
  };

  void refresh();
  void show(const Content& content);
  void showNote(const RunRecord& run);
  void saveNote();

  AppContext context_;
  QStackedWidget* stack_;
  QLabel* title_;
  QLabel* state_;
  QLabel* error_;
  QGridLayout* facts_;
  QGridLayout* metrics_;
  QPlainTextEdit* note_;
  qint64 shown_ = 0;
  QString savedNote_;
  QString notesIn_;  ///< the database whose run is shown
  Json specification_;
  std::string signature_;
  bool asking_ = false;
  bool again_ = false;
};

}  // namespace bulwark
