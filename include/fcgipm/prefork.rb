# Where an application that fcgipm pre-forks is forked: see prefork.h.
module Fcgipm
  # What stands before the call happens once, what stands behind it in every worker.
  def self.prefork_here
    IO.select([STDIN], nil, nil, 0)
    nil
  end
end
