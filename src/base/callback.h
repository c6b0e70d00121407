#pragma once

#include <concepts>
#include <memory>
#include <type_traits>
#include <utility>

namespace suan {

template <class Signature>
class Callback;

/// A movable, owned function: `std::move_only_function` without the weight of its header. Calling
/// an empty one is a bug. A callable that is given must not throw.
template <class Answer, class... Arguments>
class Callback<Answer(Arguments...)> {
 public:
  Callback() = default;

  template <class Function>
    requires(!std::same_as<std::decay_t<Function>, Callback> &&
             std::is_invocable_r_v<Answer, std::decay_t<Function>&, Arguments...>)
  Callback(Function&& function)  // NOLINT: implicit, so that a lambda can be given as it is.
      : target_(
            std::make_unique<Target<std::decay_t<Function>>>(std::forward<Function>(function))) {}

  explicit operator bool() const { return target_ != nullptr; }

  Answer operator()(Arguments... arguments) {
    return target_->call(std::forward<Arguments>(arguments)...);
  }

 private:
  struct Callable {
    virtual ~Callable() = default;
    virtual Answer call(Arguments... arguments) = 0;
  };

  template <class Function>
  struct Target final : Callable {
    explicit Target(Function given) : function(std::move(given)) {}
    Answer call(Arguments... arguments) override {
      return function(std::forward<Arguments>(arguments)...);
    }
    Function function;
  };

  std::unique_ptr<Callable> target_;
};

}  // namespace suan
