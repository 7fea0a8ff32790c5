#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/nn/autoencoder.h"
#include "core/training/autoencoder_loss.h"
#include "core/training/recipe.h"

namespace bulwark {

/// When a stage ends before its last epoch, judged by the validation accuracy.
enum class StageStop {
  NoBetter,  ///< no new best for `patience` epochs; the best weights are taken
  Falling,   ///< `patience` epochs in a row each below the one before; the last weights are taken
};

/// How an autoencoder is trained.
struct AutoencoderFit {
  std::string recipe;  ///< name
  AutoencoderLoss loss;
  std::int64_t epochs = 100;             ///< of the fine-tuning, at most
  std::int64_t pretrainingEpochs = 100;  ///< of each earlier stage, at most; 0: only fine-tuning
  double learningRate = 5e-4;            ///< of the fine-tuning
  std::vector<double> pretrainingRates;  ///< by stage; the last holds for all later ones
  std::int64_t batchSize = 64;
  std::int64_t patience = 8;  ///< epochs; 0: no early stopping
  StageStop stop = StageStop::NoBetter;

  Json values;  ///< everything the recipe was given, for the identity of a checkpoint
  std::string batchSizePath, learningRatePath;
};

/// Greedy layer-wise pre-training and fine-tuning with Adam (Alipour and Seyyedsalehi, sections 2.4
/// and 2.5.2).
///
/// Stage k < K trains encoder layer k and its mirror image in the decoder as an autoencoder with
/// one hidden layer, on the codes of the layers before, which stay as they are; a class head on the
/// hidden layer, temporary but for the last stage, carries the cross-entropy. The paper's split
/// into stages is only in its figure 3; this is the one split of its symmetric network into three
/// one-hidden-layer autoencoders. Stage K trains everything. All stages have the same three losses.
///
/// Weights begin as He et al. (2015) propose, biases at 0, those of a rectified output at 0.05 so
/// that pixels do not die. Images are taken as they are, in [0, 1]: the network's normalisation is
/// the identity. As in `runFitLoop`, a training that was stopped anywhere and resumed ends with the
/// same bits.
void fitAutoencoder(FitContext& context, Autoencoder& network, const AutoencoderFit& fit);

}  // namespace bulwark
