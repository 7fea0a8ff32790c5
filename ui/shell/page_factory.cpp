#include "ui/shell/page_factory.h"

#include "ui/pages/attack_page.h"
#include "ui/pages/data_page.h"
#include "ui/pages/train_page.h"
#include "ui/widgets/panel.h"
#if __has_include("ui/pages/results_page.h")
#include "ui/pages/results_page.h"
#define BULWARK_RESULTS ResultsPage
#endif
#if __has_include("ui/pages/images_page.h")
#include "ui/pages/images_page.h"
#define BULWARK_IMAGES ImagesPage
#endif
#if __has_include("ui/pages/compare_page.h")
#include "ui/pages/compare_page.h"
#define BULWARK_COMPARE ComparePage
#endif
#if __has_include("ui/pages/report_page.h")
#include "ui/pages/report_page.h"
#define BULWARK_REPORT ReportPage
#endif

namespace bulwark {

QWidget* makePage(PageId page, const AppContext& context) {
  switch (page) {
    case PageId::Data:
      return new DataPage(context);
    case PageId::Train:
      return new TrainPage(context);
    case PageId::Attack:
      return new AttackPage(context);
#ifdef BULWARK_RESULTS
    case PageId::Results:
      return new BULWARK_RESULTS(context);
#endif
#ifdef BULWARK_IMAGES
    case PageId::Images:
      return new BULWARK_IMAGES(context);
#endif
#ifdef BULWARK_COMPARE
    case PageId::Compare:
      return new BULWARK_COMPARE(context);
#endif
#ifdef BULWARK_REPORT
    case PageId::Report:
      return new BULWARK_REPORT(context);
#endif
    default:
      return new EmptyState(QStringLiteral("results"), QStringLiteral("Results"), {}, {});
  }
}

}  // namespace bulwark
