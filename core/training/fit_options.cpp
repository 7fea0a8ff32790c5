#include "core/training/fit_options.h"

namespace bulwark {

OptionSchema fitSchema() {
  OptionSchema schema;
  schema.integer("epochs", 5, "passes over the training images")
      .range(1, 100000)
      .in("epochs")
      .simple();
  schema.number("learning_rate", 0.05, "largest step length the schedule reaches")
      .above(0, 10)
      .from("measured here for SGD; for Adam 0.001 is usual (Kingma and Ba 2015, section 2)")
      .simple();
  schema.integer("batch_size", 64, "images per step")
      .range(1, 65536)
      .in("images")
      .from("measured here on 10,000 images; He et al. 2016, section 4.2, use 128");
  schema.choice("optimiser", "sgd", {"sgd", "adam"}, "rule by which gradients move the weights")
      .from("sgd: He et al. 2016; adam: Kingma and Ba 2015");
  schema
      .choice("schedule", "one_cycle", {"constant", "step", "cosine", "one_cycle"},
              "how the learning rate runs over the training")
      .from(
          "one_cycle: Smith and Topin 2018; step: He et al. 2016; cosine: Loshchilov and "
          "Hutter 2017");
  schema
      .choice("augmentation", "none", {"none", "flip", "crop_flip", "shift"},
              "random changes of each training image; crop_flip for photos, shift for grey shapes")
      .from("crop_flip: He et al. 2016, section 4.2");
  schema
      .integer("early_stopping_patience", 0,
               "stop when validation has not improved for so many epochs and take the best "
               "weights; 0: train to the end and take the last")
      .range(0, 100000)
      .in("epochs")
      .from("Rice et al. 2020 for adversarial training");
  schema.number("weight_decay", 5e-4, "pull of the weights towards zero, added to the gradient")
      .range(0, 1)
      .from("Zagoruyko and Komodakis 2016; Rice et al. 2020");
  schema
      .boolean("decay_all", false,
               "let weight decay act on biases and batch norm as well as on weights")
      .from("off: He et al. 2019 (bag of tricks), section 3.1")
      .expert();
  schema.number("momentum", 0.9, "memory of earlier gradients: of SGD, and beta 1 of Adam")
      .range(0, 0.9999)
      .from("He et al. 2016; Kingma and Ba 2015")
      .expert();
  schema.boolean("nesterov", true, "Nesterov's form of the momentum; SGD only")
      .from("Sutskever et al. 2013; Zagoruyko and Komodakis 2016")
      .expert();
  schema
      .number("step_factor", 0.1,
              "what the schedule step multiplies the learning rate by at 50 % and at 75 %")
      .above(0, 1)
      .from("He et al. 2016, section 4.2")
      .expert();
  schema.number("label_smoothing", 0.0, "share of the target spread evenly over all classes")
      .range(0, 0.99)
      .from("Szegedy et al. 2016 use 0.1; off by default because it changes logit-based scores")
      .expert();
  return schema;
}

FitOptions readFitOptions(const Params& params) {
  FitOptions options;
  options.epochs = params.getInt("epochs");
  options.batchSize = params.getInt("batch_size");
  options.optimiser.kind = params.getText("optimiser") == "adam" ? OptimiserOptions::Kind::Adam
                                                                 : OptimiserOptions::Kind::Sgd;
  options.optimiser.momentum = params.getNumber("momentum");
  options.optimiser.nesterov = params.getBool("nesterov");
  options.optimiser.weightDecay = params.getNumber("weight_decay");
  options.optimiser.decayAll = params.getBool("decay_all");
  options.schedule.kind = Schedule::kindNamed(params.getText("schedule"));
  options.schedule.peak = params.getNumber("learning_rate");
  options.schedule.stepFactor = params.getNumber("step_factor");
  options.augmentation = augmentationNamed(params.getText("augmentation"));
  options.labelSmoothing = params.getNumber("label_smoothing");
  options.patience = params.getInt("early_stopping_patience");
  options.values = params.values();
  options.batchSizePath = params.pathOf("batch_size");
  options.learningRatePath = params.pathOf("learning_rate");
  options.patiencePath = params.pathOf("early_stopping_patience");
  return options;
}

}  // namespace bulwark
