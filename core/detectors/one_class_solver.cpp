#include "core/detectors/one_class_solver.h"

#include <ATen/Parallel.h>
#include <svm.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

#include "core/base/error.h"

namespace bulwark {
namespace {

void keepSilent(const char* /*text*/) {}

/// libsvm tells its progress on standard output, through a function that is the same for all.
void silence() {
  static std::once_flag once;
  std::call_once(once, [] { svm_set_print_string_function(keepSilent); });
}

/// The problem in libsvm's sparse form: zeros are left out, index -1 ends a point.
struct Nodes {
  explicit Nodes(const OneClassProblem& problem) {
    const auto points = problem.points.size() / static_cast<std::size_t>(problem.dimension);
    std::vector<std::size_t> begins;
    nodes.reserve(problem.points.size() + points);
    const double* value = problem.points.data();
    for (std::size_t i = 0; i < points; ++i) {
      begins.push_back(nodes.size());
      for (std::int64_t d = 0; d < problem.dimension; ++d, ++value) {
        if (*value != 0.0) nodes.push_back({static_cast<int>(d + 1), *value});
      }
      nodes.push_back({-1, 0.0});
    }
    for (const auto begin : begins) rows.push_back(nodes.data() + begin);
    labels.assign(points, 1.0);
  }

  std::vector<svm_node> nodes;
  std::vector<svm_node*> rows;
  std::vector<double> labels;
};

struct ModelDeleter {
  void operator()(svm_model* model) const { svm_free_and_destroy_model(&model); }
};

OneClassSolution solve(const OneClassProblem& problem, double megabytes) {
  Nodes nodes(problem);
  svm_problem given{};
  given.l = static_cast<int>(nodes.rows.size());
  given.y = nodes.labels.data();
  given.x = nodes.rows.data();
  svm_parameter parameter{};
  parameter.svm_type = ONE_CLASS;
  parameter.kernel_type = RBF;
  parameter.gamma = problem.gamma;
  parameter.nu = problem.nu;
  parameter.eps = problem.tolerance;
  parameter.cache_size = megabytes;
  parameter.shrinking = 1;
  if (const char* wrong = svm_check_parameter(&given, &parameter)) {
    throw Error::failed(std::string("libsvm refuses the one-class problem: ") + wrong, "libsvm");
  }
  const std::unique_ptr<svm_model, ModelDeleter> model(svm_train(&given, &parameter));
  OneClassSolution solution;
  solution.rho = model->rho[0];
  for (int i = 0; i < model->l; ++i) {
    solution.rows.push_back(model->sv_indices[i] - 1);
    solution.coefficients.push_back(model->sv_coef[0][i]);
  }
  return solution;
}

/// What the solving threads share; it outlives the caller where that is cancelled.
struct Board {
  std::vector<OneClassProblem> problems;
  std::vector<OneClassSolution> solutions;
  double megabytes = 0.0;  ///< of kernel rows, per thread
  std::atomic<std::size_t> next{0};
  std::atomic<bool> stopped{false};

  std::mutex mutex;
  std::condition_variable changed;
  std::size_t solved = 0;
  std::exception_ptr failure;
};

void work(const std::shared_ptr<Board>& board) {
  while (!board->stopped) {
    const std::size_t i = board->next++;
    if (i >= board->problems.size()) return;
    OneClassSolution solution;
    std::exception_ptr failure;
    try {
      solution = solve(board->problems[i], board->megabytes);
    } catch (...) {
      failure = std::current_exception();
    }
    const std::lock_guard lock(board->mutex);
    board->solutions[i] = std::move(solution);
    if (failure && !board->failure) board->failure = failure;
    ++board->solved;
    board->changed.notify_one();
  }
}

/// The threads, which are waited for only when all problems are solved.
class Solvers {
 public:
  Solvers(std::shared_ptr<Board> board, std::size_t count) : board_(std::move(board)) {
    for (std::size_t i = 0; i < count; ++i) threads_.emplace_back(work, board_);
  }
  ~Solvers() {
    board_->stopped = true;
    for (auto& thread : threads_) finished_ ? thread.join() : thread.detach();
  }
  Solvers(const Solvers&) = delete;
  Solvers& operator=(const Solvers&) = delete;

  void finished() { finished_ = true; }

 private:
  std::shared_ptr<Board> board_;
  std::vector<std::thread> threads_;
  bool finished_ = false;
};

}  // namespace

std::vector<OneClassSolution> solveOneClass(std::vector<OneClassProblem> problems, Task& task) {
  if (problems.empty()) return {};
  silence();
  const auto board = std::make_shared<Board>();
  board->problems = std::move(problems);
  const std::size_t count = board->problems.size();
  board->solutions.resize(count);
  const auto threads =
      std::min<std::size_t>(count, static_cast<std::size_t>(std::max(1, at::get_num_threads())));
  board->megabytes = std::min(256.0, 1024.0 / static_cast<double>(threads));
  Solvers solvers(board, threads);
  std::size_t told = 0;
  while (told < count) {
    std::size_t solved = 0;
    {
      std::unique_lock lock(board->mutex);
      board->changed.wait_for(lock, std::chrono::milliseconds(50),
                              [&] { return board->solved > told; });
      if (board->failure) std::rethrow_exception(board->failure);
      solved = board->solved;
    }
    task.checkpoint();
    if (solved > told) task.advance(static_cast<std::int64_t>(solved - told));
    told = solved;
  }
  solvers.finished();
  return std::move(board->solutions);
}

}  // namespace bulwark
