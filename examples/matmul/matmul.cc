// C = A·B for square matrices in single precision: blocked, vectorised, on several threads. The
// result is checked by Freivalds' method: for random vectors r of signs, A·(B·r) must be C·r up to
// rounding, which costs O(n²) a vector and overlooks a wrong C with a chance of 2^-vectors.
//
//   matmul [SIZE [THREADS [PRODUCTS]]]     exits 0 when every product is right, 1 when not
#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string_view>
#include <thread>
#include <vector>

namespace {

constexpr std::size_t rows_at_once = 6;  // 6 × 16 sums stay in vector registers.
constexpr std::size_t columns_at_once = 16;
constexpr std::size_t depth_block = 256;  // A panel of 256 × 16 floats stays in the L1 cache.
constexpr int vectors = 20;

using Vector = std::vector<double>;

struct Matrix {
  std::size_t size;
  std::vector<float> values;
  explicit Matrix(std::size_t n) : size(n), values(n * n) {}
  float* row(std::size_t i) { return values.data() + i * size; }
  const float* row(std::size_t i) const { return values.data() + i * size; }
};

Matrix random_matrix(std::size_t size, std::mt19937& random) {
  std::uniform_real_distribution<float> value(-1.0F, 1.0F);
  Matrix out(size);
  for (float& each : out.values) each = value(random);
  return out;
}

// Eight floats that the compiler keeps in one vector register where the processor has such.
using Lane = float __attribute__((vector_size(32)));
constexpr std::size_t lanes = columns_at_once / 8;

using Packed = float[depth_block * columns_at_once];

// Adds to `rows` rows of C, from row i and column j, the product of A's rows and a packed panel of
// B.
template <std::size_t rows>
void add_tile(const Matrix& a, const Packed& panel, Matrix& c, std::size_t i, std::size_t j,
              std::size_t k, std::size_t depth) {
  Lane sums[rows][lanes] = {};
  const Lane* b = reinterpret_cast<const Lane*>(panel);
  for (std::size_t d = 0; d < depth; ++d, b += lanes) {
#pragma GCC unroll 8
    for (std::size_t r = 0; r < rows; ++r) {
      const float factor = a.row(i + r)[k + d];
#pragma GCC unroll 8
      for (std::size_t x = 0; x < lanes; ++x) sums[r][x] += factor * b[x];
    }
  }
  const std::size_t width = std::min(columns_at_once, c.size - j);
  for (std::size_t r = 0; r < rows; ++r) {
    float found[columns_at_once];
    std::memcpy(found, sums[r], sizeof found);
    for (std::size_t x = 0; x < width; ++x) c.row(i + r)[j + x] += found[x];
  }
}

// Columns [j, j + 16) of C.
void multiply_columns(const Matrix& a, const Matrix& b, Matrix& c, std::size_t j) {
  alignas(64) static thread_local Packed panel;
  const std::size_t n = a.size;
  const std::size_t width = std::min(columns_at_once, n - j);
  for (std::size_t k = 0; k < n; k += depth_block) {
    const std::size_t depth = std::min(depth_block, n - k);
    std::memset(panel, 0, sizeof panel);
    for (std::size_t d = 0; d < depth; ++d)
      std::memcpy(panel + d * columns_at_once, b.row(k + d) + j, width * sizeof(float));
    std::size_t i = 0;
    for (; i + rows_at_once <= n; i += rows_at_once)
      add_tile<rows_at_once>(a, panel, c, i, j, k, depth);
    for (; i < n; ++i) add_tile<1>(a, panel, c, i, j, k, depth);
  }
}

void multiply(const Matrix& a, const Matrix& b, Matrix& c, std::size_t threads) {
  std::fill(c.values.begin(), c.values.end(), 0.0F);
  std::vector<std::jthread> workers;
  for (std::size_t t = 0; t < threads; ++t)
    workers.emplace_back([&, t] {
      for (std::size_t j = t * columns_at_once; j < a.size; j += threads * columns_at_once)
        multiply_columns(a, b, c, j);
    });
}

Vector times(const Matrix& m, const Vector& v) {
  Vector out(m.size);
  for (std::size_t i = 0; i < m.size; ++i)
    for (std::size_t j = 0; j < m.size; ++j) out[i] += double{m.row(i)[j]} * v[j];
  return out;
}

// The largest difference between A·(B·r) and C·r over random r, in units of what rounding explains.
double difference(const Matrix& a, const Matrix& b, const Matrix& c, std::mt19937& random) {
  const auto n = static_cast<double>(a.size);
  const double explained = 8.0 * n * std::sqrt(n) * 0x1p-24;
  double largest = 0;
  for (int round = 0; round < vectors; ++round) {
    Vector signs(a.size);
    for (double& each : signs) each = (random() & 1U) != 0 ? 1.0 : -1.0;
    const Vector wanted = times(a, times(b, signs));
    const Vector found = times(c, signs);
    for (std::size_t i = 0; i < a.size; ++i)
      largest = std::max(largest, std::abs(wanted[i] - found[i]) / explained);
  }
  return largest;
}

std::size_t argument(int argc, char** argv, int index, std::size_t otherwise) {
  if (index >= argc) return otherwise;
  const std::string_view text = argv[index];
  std::size_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc{} && end == text.data() + text.size() && value > 0 && value <= 32'768)
    return value;
  std::fprintf(stderr, "matmul: %s is not a number from 1 to 32768\n", argv[index]);
  std::exit(2);
}

}  // namespace

int main(int argc, char** argv) {
  const std::size_t size = argument(argc, argv, 1, 2048);
  const std::size_t threads =
      argument(argc, argv, 2, std::max(1U, std::thread::hardware_concurrency()));
  const std::size_t products = argument(argc, argv, 3, 3);
  std::mt19937 random(20'261'101);
  const Matrix a = random_matrix(size, random);
  const Matrix b = random_matrix(size, random);
  Matrix c(size);
  bool is_right = true;
  for (std::size_t product = 1; product <= products; ++product) {
    const auto began = std::chrono::steady_clock::now();
    multiply(a, b, c, threads);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - began;
    const double gigaflops = 2e-9 * std::pow(static_cast<double>(size), 3.0) / took.count();
    const double off = difference(a, b, c, random);
    is_right = is_right && off < 1.0;
    std::printf("product %zu of %zu: %zu x %zu, %zu thread%s, %.2f s, %.1f GFLOPS, %s\n", product,
                products, size, size, threads, threads == 1 ? "" : "s", took.count(), gigaflops,
                off < 1.0 ? "checked" : "WRONG");
    std::fflush(stdout);
  }
  return is_right ? 0 : 1;
}
